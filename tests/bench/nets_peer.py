# The nets of a chip by KLayout's LayoutToNetlist, li1 to met5: CPU seconds and the number of flat nets.
# Usage: klayout -b -z -rd path=FILE -r nets_peer.py
import time

import pya

KEYS = [(67, 20), (67, 44), (68, 20), (68, 44), (69, 20), (69, 44), (70, 20), (70, 44), (71, 20), (71, 44),
        (72, 20)]

layout = pya.Layout()
layout.read(path)
start = time.process_time()
extractor = pya.LayoutToNetlist(pya.RecursiveShapeIterator(layout, layout.top_cell(), []))
layers = [extractor.make_polygon_layer(layout.layer(*k), "l%d_%d" % k) for k in KEYS]
for layer in layers:
    extractor.connect(layer)
for below, above in zip(layers, layers[1:]):
    extractor.connect(below, above)
extractor.extract_netlist()
seconds = time.process_time() - start

# A net without a pin ends in its circuit; it is there as often as the circuit is placed.
placed, nets = {}, 0
for circuit in extractor.netlist().each_circuit_top_down():
    times = placed.setdefault(circuit.name, 1)
    for sub in circuit.each_subcircuit():
        name = sub.circuit_ref().name
        placed[name] = placed.get(name, 0) + times
    nets += times * sum(1 for net in circuit.each_net() if net.pin_count() == 0)
print("LayoutToNetlist %.1f CPU s, %d flat nets" % (seconds, nets))

"""One neuron, with its numbers.

A neuron is a small graph: product, sum, sigmoid. The drawing has the value of each step above its
line and the gradient that comes back below it. It is made without another program.
"""

from pathlib import Path

import chainrule as cr

x = cr.input("x", ("rows", 2))
w = cr.parameter("w", (2, 1))
b = cr.parameter("b", (1,))
y = cr.sigmoid(x @ w + b, name="y")

trace = cr.Trace(y, {x: [[1.0, -2.0]], w: [[0.5], [0.25]], b: [0.1]})
value = trace.forward().item()
gradient = trace.backward()["w"].ravel()
Path("one_neuron.svg").write_text(trace.to_svg(), encoding="utf-8")
print(f"y = {value:.4f}, dy/dw = {gradient[0]:.4f}, {gradient[1]:.4f}")

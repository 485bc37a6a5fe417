"""Counts the floating-point operations of dense products (multiply and add count one each) while a network runs."""
from torch.utils._python_dispatch import TorchDispatchMode


def product(a, b):
    """[.., n, k] x [.., k, m]"""
    return 2.0 * a.numel() * b.shape[-1]


def convolution(out, weight, transposed, x):
    """each output (input if transposed) element meets every weight of its group"""
    return 2.0 * (x if transposed else out).numel() * weight.numel() / weight.shape[0]


class Counter(TorchDispatchMode):
    """with Counter() as c: model(..); c.gflop"""

    def __init__(self):
        super().__init__()
        self.flops = 0.0

    @property
    def gflop(self):
        return 1e-9 * self.flops

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        name = func.__name__.split(".")[0]
        if name in ("mm", "bmm"):
            flops = product(args[0], args[1])
        elif name in ("addmm", "baddbmm"):
            flops = product(args[1], args[2])
        elif name == "convolution":
            flops = convolution(out, args[1], args[6], args[0])
        else:
            return out
        self.flops += flops * (4 if out.is_complex() else 1)
        return out

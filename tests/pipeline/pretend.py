"""A graphics processor that is not there: real numbers on the processor, a real one's strictness.

Tensors that were sent to "cuda" are marked. As on a real one, an operation over marked and unmarked
tensors is an error, and so is a marked one given to numpy; each time the host waits for a result is counted.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_flatten, tree_map

CUDA = torch.device("cuda", 0)
# An index on the processor is sent along by PyTorch itself, and numbers without dimensions are.
_SENDS_ALONG = {Tensor.__getitem__, Tensor.__setitem__}
_WAITS = {Tensor.item, Tensor.tolist, Tensor.__bool__, Tensor.__int__, Tensor.__float__, torch.nonzero}


class PretendCuda(TorchFunctionMode):
    """While it is entered, ``device="cuda"`` works in this thread."""

    def __init__(self) -> None:
        super().__init__()
        self.waited = 0
        self.copied_in = 0
        self.copied_out = 0
        self._numbers: dict[int, weakref.ref[Tensor]] = {}

    def there(self, value: object) -> bool:
        """Whether a tensor was sent to the device, or computed on it."""
        known = self._numbers.get(id(value))
        return known is not None and known() is value

    def mark(self, value: Any) -> Any:
        """All tensors of a value, put on the device."""

        def one(leaf: Any) -> Any:
            if isinstance(leaf, Tensor):
                self._numbers[id(leaf)] = weakref.ref(leaf)
            return leaf

        return tree_map(one, value)

    def __torch_function__(
        self, func: Callable[..., Any], types: object, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        tensors = [leaf for leaf in tree_flatten((args, kwargs))[0] if isinstance(leaf, Tensor)]
        marked = [tensor for tensor in tensors if self.there(tensor)]
        special = self._special(func, args, kwargs, marked=bool(marked))
        if special is not None:
            return special[0]
        strangers = [t for t in tensors if t.dim() and not self.there(t)]
        if marked and strangers and func not in _SENDS_ALONG:
            raise RuntimeError(f"{func}: tensors on the device beside {[tuple(t.shape) for t in strangers]}")
        if func in _SENDS_ALONG and not self.there(args[0]) and marked:
            raise RuntimeError("an index on the device into a table on the processor")
        if marked and (func in _WAITS or _indexes_by_mask(func, args)):
            self.waited += 1
        if _device(kwargs.get("device")) == CUDA:
            return self.mark(func(*args, **{**kwargs, "device": "cpu"}))
        result = func(*args, **kwargs)
        return self.mark(result) if marked else result

    def _special(self, func: Any, args: Any, kwargs: Any, *, marked: bool) -> tuple[Any] | None:
        """The result, in a tuple, of what moves tensors or tells where they are."""
        if func == Tensor.device.__get__ and marked:  # type: ignore[attr-defined]
            return (CUDA,)
        if func == Tensor.numpy and marked:
            raise TypeError("can't convert cuda:0 device type tensor to numpy")
        if func == torch._has_compatible_shallow_copy_type:
            return (func(*args, **kwargs),)
        if func == Tensor.data.__set__:  # type: ignore[attr-defined]
            func(*args)  # how a module moves: a weight gets the numbers of a tensor on the device
            if self.there(args[1]):
                self.mark(args[0])
            return (None,)
        if func == Tensor.pin_memory:
            return (args[0],)
        if func == Tensor.cpu and marked:
            self.copied_out += 1
            return (args[0].clone(),)
        if func == Tensor.to:
            return self._moved(args, kwargs, marked=marked)
        return None

    def _moved(self, args: Any, kwargs: Any, *, marked: bool) -> tuple[Any] | None:
        first = args[1] if len(args) > 1 else kwargs.get("device")
        target = None if isinstance(first, (Tensor, torch.dtype)) else _device(first)
        if target is None:
            return None
        rest = [arg for arg in args[2:] if isinstance(arg, torch.dtype)]
        kinds = rest or [kwargs["dtype"] for _ in range(1) if kwargs.get("dtype") is not None]
        value = args[0].to(*kinds) if kinds else args[0]
        if target != CUDA:
            self.copied_out += marked
            return (value.clone() if marked else value,)
        if marked:
            return (self.mark(value),)
        self.copied_in += 1
        return (self.mark(value.clone()),)


def _indexes_by_mask(func: Any, args: Any) -> bool:
    index = args[1] if func == Tensor.__getitem__ else None
    parts = index if isinstance(index, tuple) else (index,)
    return any(isinstance(part, Tensor) and part.dtype == torch.bool for part in parts)


def _device(value: object) -> torch.device | None:
    if not isinstance(value, (str, torch.device)):
        return None
    found = torch.device(value)
    return CUDA if found.type == "cuda" else found


def slow_varlen(
    query: Tensor, key: Tensor, value: Tensor, first: Tensor, second: Tensor, longest: int, also: int
) -> Tensor:
    """What PyTorch's kernel computes, one window after the other; pieces [pieces, heads, width]."""
    assert first.dtype == second.dtype == torch.int32
    assert all(part.is_contiguous() for part in (query, key, value))

    def windows() -> Iterator[Tensor]:
        with torch._C.DisableTorchFunction():
            borders = first.tolist()
        assert longest == also == max(b - a for a, b in pairwise(borders))
        for a, b in pairwise(borders):
            parts = (part[a:b].float().transpose(0, 1) for part in (query, key, value))
            seen = torch.nn.functional.scaled_dot_product_attention(*parts)
            yield seen.transpose(0, 1).to(query.dtype)
        yield torch.zeros_like(query[borders[-1] :])

    return torch.cat(list(windows()))

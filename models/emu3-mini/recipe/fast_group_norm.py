"""The norms of vision_layers.py as one CPU kernel (kernels/group_norm.cpp).  Same maths, faster."""

import torch

import vision_layers
from kernels import kernel


class FusedNorm(torch.autograd.Function):
    """GroupNorm, optional scale and shift at each place, optional SiLU."""

    @staticmethod
    def forward(ctx, x, gamma, beta, scale, shift, silu):
        """`x` [B, C, H, W]; `scale` and `shift` [B, C, h, w] or None."""
        x = x.contiguous(memory_format=torch.channels_last)
        scale_floats, shift_floats = _floats(scale), _floats(shift)
        out, mean, inverse_std = kernel("group_norm").forward(
            x,
            gamma,
            beta,
            scale_floats,
            shift_floats,
            vision_layers.GROUPS,
            vision_layers.EPS,
            silu,
        )
        ctx.save_for_backward(x, gamma, beta, scale_floats, shift_floats, mean, inverse_std)
        ctx.silu = silu
        ctx.scale_dtype = None if scale is None else scale.dtype
        return out

    @staticmethod
    def backward(ctx, gradient):
        """Gradients of x, gamma, beta, scale and shift."""
        x, gamma, beta, scale, shift, mean, inverse_std = ctx.saved_tensors
        gradient = gradient.to(x.dtype).contiguous(memory_format=torch.channels_last)
        dx, dgamma, dbeta, dscale, dshift = kernel("group_norm").backward(
            x,
            gradient,
            gamma,
            beta,
            scale,
            shift,
            mean,
            inverse_std,
            vision_layers.GROUPS,
            ctx.silu,
        )
        if ctx.scale_dtype is None:
            return dx, dgamma, dbeta, None, None, None
        return dx, dgamma, dbeta, dscale.to(ctx.scale_dtype), dshift.to(ctx.scale_dtype), None


def install():
    """Make the norms of vision_layers.py use the kernel, and compile it if need be."""
    kernel("group_norm")

    def group_norm(self, x, zq=None, silu=False):
        return FusedNorm.apply(x, self.weight, self.bias, None, None, silu)

    def spatial_norm(self, x, zq, silu=False):
        inner, scale, shift = self.norm_layer, self.conv_y(zq), self.conv_b(zq)
        return FusedNorm.apply(x, inner.weight, inner.bias, scale, shift, silu)

    vision_layers.GroupNorm.forward = group_norm
    vision_layers.SpatialNorm.forward = spatial_norm


def _floats(tensor):
    if tensor is None:
        return torch.empty(0)
    return tensor.float().contiguous(memory_format=torch.channels_last)

"""What a case records of a network: output, loss, gradients, and the losses of a short training run."""
import numpy as np
import torch

import case
import models

STEPS = 10


def gradients(name, model, inputs):
    """mean square of the output and all its derivatives: y, loss, {parameter: g}, {input: g} as arrays"""
    model.zero_grad(set_to_none=True)
    wanted = {k: inputs[k].clone().requires_grad_() for k in models.input_gradients(name, inputs)}
    y = model(**dict(inputs, **wanted))
    loss = y.square().mean()
    loss.backward()
    # a parameter that only buffers of nothing reach has no gradient; a product with zero has one of zeros
    of_weights = {k: case.as_array(p.grad) for k, p in model.named_parameters() if p.grad is not None}
    of_inputs = {k: t.grad.numpy() for k, t in wanted.items() if t.grad is not None}
    return y.detach().numpy(), float(loss), of_weights, of_inputs


def training(model, inputs, target):
    """the loss before each of ten AdamW steps and after the last"""
    optim = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2)
    losses = []
    for i in range(STEPS + 1):
        optim.zero_grad(set_to_none=True)
        loss = (model(**inputs) - target).square().mean()
        losses.append(float(loss))
        if i < STEPS:
            loss.backward()
            optim.step()
    return np.array(losses)

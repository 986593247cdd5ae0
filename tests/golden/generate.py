#!/usr/bin/python3
# vaelstm: anomaly detection for fixed cameras
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The networks and their layers in PyTorch: writes the files the C code is held to.

usage: generate.py [OUTDIR]

Everything is computed in double from inputs rounded to float, so that what a
test measures is the C code's rounding alone. Activations and weights are in
PyTorch's order. Sizes are odd and unequal: a swapped index shows.
"""
import json
import os
import struct
import sys

import torch
import torch.distributions as D
import torch.nn as nn
import torch.nn.functional as F

SEED = 20180901
LOG_SIGMA_MIN, LOG_SIGMA_MAX = -4.0, 5.0

torch.set_default_dtype(torch.float64)


# --- files ---

def save(path, tensors):
    """A safetensors file: header length, JSON header, little-endian float32."""
    header, blobs, offset = {}, [], 0
    header["__metadata__"] = {"seed": str(SEED), "torch": torch.__version__}
    for name, tensor in tensors.items():
        blob = tensor.detach().float().contiguous().numpy().astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape),
                        "data_offsets": [offset, offset + len(blob)]}
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))
    print(f"{os.path.basename(path)}: {len(tensors)} tensors, {os.path.getsize(path)} bytes")


def as_float(tensor):
    """The values a float holds, still as doubles."""
    return tensor.float().double()


def randn(*shape, scale=1.0):
    return as_float(torch.randn(*shape) * scale).requires_grad_()


def test_image(index, height, width):
    """Picture `index`, (3,H,W) in [0,1]; the C tests build the same numbers."""
    c = torch.arange(3)[:, None, None]
    y = torch.arange(height)[None, :, None]
    x = torch.arange(width)[None, None, :]
    wave = (x * (3 + index) + y * 5 + c * 40) % 256
    noise = (x * x * 7 + y * y * 13 + x * y * (c + 3) + index * 31) % 64
    return as_float(((wave * 3) // 4 + noise) / 255.0)


# --- layers ---

def layer_case(prefix, function, inputs, constants=()):
    """Inputs, output, an arbitrary dout and every input's gradient."""
    y = function(*inputs.values(), *constants)
    dy = as_float(torch.randn_like(y))
    grads = torch.autograd.grad(y, list(inputs.values()), dy)
    case = {**inputs, "y": y, "dy": dy, **{"d" + k: g for k, g in zip(inputs, grads)}}
    return {f"{prefix}.{name}": tensor for name, tensor in case.items()}


def conv_cases():
    def inputs(x_shape, weight_shape, out_channels):
        return {"x": randn(*x_shape), "weight": randn(*weight_shape, scale=0.2), "bias": randn(out_channels)}

    out = {}
    for name, x_shape, oc, kernel, stride in (
            ("conv2d_k4s2", (2, 3, 11, 8), 5, 4, 2),
            ("conv2d_k6s1", (1, 4, 9, 7), 3, 6, 1),
            ("conv2d_k6s2", (3, 2, 10, 12), 5, 6, 2)):
        out.update(layer_case(name, F.conv2d, inputs(x_shape, (oc, x_shape[1], kernel, kernel), oc), (stride,)))
    for name, x_shape, oc, kernel in (
            ("deconv2d_k5s2", (2, 4, 3, 5), 3, 5),
            ("deconv2d_k6s2", (3, 5, 4, 2), 2, 6)):
        out.update(layer_case(name, F.conv_transpose2d, inputs(x_shape, (x_shape[1], oc, kernel, kernel), oc), (2,)))
    return out


def pointwise_cases():
    out = layer_case("linear", F.linear, {"x": randn(3, 7), "weight": randn(5, 7), "bias": randn(5)})
    out.update(layer_case("relu", F.relu, {"x": randn(37)}))
    out.update(layer_case("sigmoid", torch.sigmoid, {"x": randn(37, scale=4)}))
    eps = randn(13)
    out.update(layer_case("reparameterize", lambda mu, logvar: mu + (0.5 * logvar).exp() * eps,
                          {"mu": randn(13), "logvar": randn(13)}))
    out["reparameterize.eps"] = eps
    return out


def lstm_case(T=4, B=3, D_in=5, H=7, layers=2):
    lstm = nn.LSTM(D_in, H, layers)
    round_parameters(lstm)
    x, h0, c0 = randn(T, B, D_in), randn(layers, B, H), randn(layers, B, H)
    y, (h, c) = lstm(x, (h0, c0))
    dy, dh, dc = randn(T, B, H), randn(layers, B, H), randn(layers, B, H)
    names, parameters = zip(*lstm.named_parameters())
    grads = torch.autograd.grad((y, h, c), (x, h0, c0) + parameters, (dy, dh, dc))
    case = {"x": x, "h0": h0, "c0": c0, "y": y, "h": h, "c": c, "dy": dy, "dh": dh, "dc": dc,
            **dict(zip(names, parameters)),
            **dict(zip(("dx", "dh0", "dc0") + tuple("d" + n for n in names), grads))}
    return {f"lstm.{name}": tensor for name, tensor in case.items()}


def mixture(head, base):
    """Per latent dimension a mixture of K Gaussians; head (...,3,K,Z)."""
    logit_pi, log_sigma, mu = head.unbind(-3)
    sigma = log_sigma.clamp(LOG_SIGMA_MIN, LOG_SIGMA_MAX).exp()
    if base is not None:
        mu = mu + base[..., None, :]
    swap = lambda t: t.transpose(-1, -2)  # (Z,K), as torch.distributions wants it
    return D.MixtureSameFamily(D.Categorical(logits=swap(logit_pi)), D.Normal(swap(mu), swap(sigma)))


def mdn_nll(head, target, base=None):
    return -mixture(head, base).log_prob(target).sum(-1)


def mdn_case(prefix, B, K, Z):
    head, base, target = randn(B, 3, K, Z), randn(B, Z), randn(B, Z)
    with torch.no_grad():
        head[:, 1] *= 3  # some log sigma beyond both clamps
        head.copy_(as_float(head))
    case = layer_case(prefix, mdn_nll, {"head": head, "target": target, "base": base})
    case.update(layer_case(prefix + "_direct", mdn_nll, {"head": head, "target": target}))
    parts = mixture(head, base)
    case[f"{prefix}.pi"] = parts.mixture_distribution.probs.transpose(-1, -2)
    case[f"{prefix}.sigma"] = parts.component_distribution.scale.transpose(-1, -2)
    case[f"{prefix}.mu"] = parts.component_distribution.loc.transpose(-1, -2)
    return case


def loss_cases():
    n, scale = 77, as_float(torch.tensor(0.3))
    x = as_float(torch.rand(n))
    x_hat, logit = as_float(torch.rand(n)).requires_grad_(), randn(n, scale=5)
    with torch.no_grad():
        logit[:4] = torch.tensor([30.0, -30.0, 200.0, -200.0])
    mu, logvar = randn(n), randn(n)
    sigma = as_float(torch.tensor(0.05))
    gaussian = ((x_hat - x) ** 2).sum() / (2 * sigma ** 2)
    bernoulli = F.binary_cross_entropy_with_logits(logit, x, reduction="sum")
    kld = D.kl_divergence(D.Normal(mu, (0.5 * logvar).exp()), D.Normal(0.0, 1.0)).sum()
    out = {"loss.x": x, "loss.scale": scale[None], "loss.sigma": sigma[None]}
    out.update({"gaussian.x_hat": x_hat, "gaussian.loss": gaussian[None],
                "gaussian.dx_hat": torch.autograd.grad(gaussian * scale, x_hat)[0]})
    out.update({"bernoulli.logit": logit, "bernoulli.loss": bernoulli[None],
                "bernoulli.dlogit": torch.autograd.grad(bernoulli * scale, logit)[0]})
    dmu, dlogvar = torch.autograd.grad(kld * scale, (mu, logvar))
    out.update({"kld.mu": mu, "kld.logvar": logvar, "kld.loss": kld[None],
                "kld.dmu": dmu, "kld.dlogvar": dlogvar})
    return out


def optimizer_cases(steps=6, n=19, learning_rate=0.01):
    params = nn.Parameter(randn(n).detach())
    out = {"adam.before": params.detach().clone(), "adam.grads": randn(steps, n), "adam.after": torch.empty(steps, n)}
    optimizer = torch.optim.Adam([params], lr=learning_rate)
    for step in range(steps):
        params.grad = out["adam.grads"][step].detach().clone()
        optimizer.step()
        out["adam.after"][step] = params.detach()
    grads = randn(n, scale=3).detach()
    params.grad = grads.clone()
    norm = nn.utils.clip_grad_norm_([params], 1.0)
    out.update({"clip.grads": grads, "clip.norm": norm[None], "clip.after": params.grad})
    return out


# --- the networks ---

def round_parameters(module):
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(as_float(parameter))


class Encoder(nn.Module):
    """(B,3,H,W) in [0,1] -> mu, logvar (B,Z) for H = W = 128."""

    def __init__(self, w, z):
        super().__init__()
        self.conv1 = nn.Conv2d(3, w, 4, stride=2)
        self.conv2 = nn.Conv2d(w, 2 * w, 4, stride=2)
        self.conv3 = nn.Conv2d(2 * w, 4 * w, 4, stride=2)
        self.conv4 = nn.Conv2d(4 * w, 8 * w, 4, stride=2)
        self.fc1 = nn.Linear(8 * w * 6 * 6, z)
        self.fc2 = nn.Linear(8 * w * 6 * 6, z)

    def forward(self, x):
        for conv in (self.conv1, self.conv2, self.conv3, self.conv4):
            x = F.relu(conv(x))
        x = x.flatten(1)
        return self.fc1(x), self.fc2(x)


class BiasMapDeconv(nn.Module):
    """deconv1 with fc3 folded in: on a 1x1 map, with a bias for every place."""

    def __init__(self, z, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(z, channels, 5, 5) * 0.2)
        self.bias = nn.Parameter(torch.randn(channels, 5, 5) * 0.2)

    def forward(self, z):
        return F.conv_transpose2d(z[:, :, None, None], self.weight, stride=2) + self.bias


class PublishedDeconv1(nn.Module):
    """fc3 followed by deconv1, as published."""

    def __init__(self, w, z):
        super().__init__()
        self.fc3 = nn.Linear(z, 8 * w * 6 * 6)
        self.deconv1 = nn.ConvTranspose2d(8 * w * 6 * 6, 4 * w, 5, stride=2)

    def forward(self, z):
        return self.deconv1(self.fc3(z)[:, :, None, None])


class Decoder(nn.Module):
    """z (B,Z) -> logits (B,3,128,128)."""

    def __init__(self, w, first):
        super().__init__()
        self.deconv1 = first
        self.deconv2 = nn.ConvTranspose2d(4 * w, 2 * w, 5, stride=2)
        self.deconv3 = nn.ConvTranspose2d(2 * w, w, 5, stride=2)
        self.deconv4 = nn.ConvTranspose2d(w, w // 2, 6, stride=2)
        self.deconv5 = nn.ConvTranspose2d(w // 2, 3, 6, stride=2)

    def forward(self, h):
        for deconv in (self.deconv1, self.deconv2, self.deconv3, self.deconv4):
            h = F.relu(deconv(h))
        return self.deconv5(h)


class MdnRnn(nn.Module):
    """input (T,B,Z+extra) -> head (T,B,3,K,Z)."""

    def __init__(self, z, extra, d, h, layers, k):
        super().__init__()
        self.k, self.z = k, z
        self.fc1 = nn.Linear(z + extra, d)
        self.lstm = nn.LSTM(d, h, layers)
        self.z_pi = nn.Linear(h, k * z)
        self.z_sigma = nn.Linear(h, k * z)
        self.z_mu = nn.Linear(h, k * z)

    def forward(self, x):
        out, _ = self.lstm(F.relu(self.fc1(x)))
        head = torch.stack([self.z_pi(out), self.z_sigma(out), self.z_mu(out)], -2)
        return head.unflatten(-1, (self.k, self.z))


def vae_losses(kind, encoder, decoder, x, eps):
    """Reconstruction and KLD summed over the batch, and the loss trained on."""
    batch = len(x)
    mu, logvar = encoder(x)
    logits = decoder(mu + (0.5 * logvar).exp() * eps)
    kld = D.kl_divergence(D.Normal(mu, (0.5 * logvar).exp()), D.Normal(0.0, 1.0)).sum()
    if kind == "gaussian":
        recon = ((torch.sigmoid(logits) - x) ** 2).sum() / (2 * 0.05 ** 2)
    else:
        recon = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
    if kind == "published":
        loss = F.binary_cross_entropy_with_logits(logits, x) / batch + 3 * kld / batch
    else:
        loss = (recon + kld) / batch
    return recon, kld, loss


def named(prefix, *modules):
    return {f"{prefix}{name}": parameter for module in modules for name, parameter in module.named_parameters()}


def vae_files(out_dir, w=4, z=5, batch=2, steps=5):
    encoder, decoder = Encoder(w, z), Decoder(w, BiasMapDeconv(z, 4 * w))
    round_parameters(encoder)
    round_parameters(decoder)
    x = torch.stack([test_image(i, 128, 128) for i in range(batch)])
    eps = randn(steps, batch, z).detach()
    params = named("", encoder, decoder)
    save(f"{out_dir}/vae.safetensors", {**params, "eps": eps})
    for kind in ("gaussian", "bernoulli", "published"):
        recon, kld, loss = vae_losses(kind, encoder, decoder, x, eps[0])
        grads = torch.autograd.grad(loss, list(params.values()))
        save(f"{out_dir}/vae-{kind}.safetensors", {
            **dict(zip(params, grads)), "recon": recon[None], "kld": kld[None], "loss": loss[None]})
    save(f"{out_dir}/vae-grid.safetensors", {f"mu{stride}": grid(encoder, 160, 192, stride) for stride in (32, 16)})

    optimizer = torch.optim.Adam(params.values(), lr=1e-3)
    losses = []
    for step in range(steps):
        recon, kld, loss = vae_losses("gaussian", encoder, decoder, x, eps[step])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(torch.stack([recon, kld]))
    save(f"{out_dir}/vae-training.safetensors", {"losses": torch.stack(losses)})


def grid(encoder, height, width, stride):
    """mu (GY,GX,Z) of every 128x128 window, each cut out and encoded alone."""
    image = test_image(5, height, width)
    rows = [torch.cat([encoder(image[None, :, y:y + 128, x:x + 128])[0]
                       for x in range(0, width - 127, stride)])
            for y in range(0, height - 127, stride)]
    return torch.stack(rows)


def mdnrnn_files(out_dir, z=5, extra=2, d=6, h=7, layers=2, k=4, T=4, B=3, steps=5):
    rnn = MdnRnn(z, extra, d, h, layers, k)
    round_parameters(rnn)
    x, target = randn(T, B, z + extra).detach(), randn(T, B, z).detach()
    base = x[..., :z]
    params = named("", rnn)
    out = {"input": x, "target": target, **params, "head": rnn(x)}
    for name, residual in (("residual", base), ("direct", None)):
        loss = mdn_nll(rnn(x), target, residual).sum()
        grads = torch.autograd.grad(loss, list(params.values()))
        out[f"{name}.loss"] = loss[None]
        out.update({f"{name}.d{key}": grad for key, grad in zip(params, grads)})
    save(f"{out_dir}/mdnrnn.safetensors", out)

    optimizer = torch.optim.Adam(params.values(), lr=1e-2)
    losses = []
    for step in range(steps):
        loss = mdn_nll(rnn(x), target, base).mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(params.values(), 1.0)
        optimizer.step()
        losses.append(loss * T * B)
    save(f"{out_dir}/mdnrnn-training.safetensors", {"losses": torch.stack(losses)})


def import_files(out_dir, w=2, z=5, d=6, h=7, layers=2, k=4, T=6):
    """A checkpoint as published, decoder unfolded, and what it computes."""
    first = PublishedDeconv1(w, z)
    encoder, decoder, rnn = Encoder(w, z), Decoder(w, first), MdnRnn(z, 0, d, h, layers, k)
    with torch.no_grad():
        for module in (encoder, decoder, rnn):
            for parameter in module.parameters():  # few bits: packs well
                parameter.copy_((parameter * 256).round() / 256)
    parts = [(name.replace("deconv1.fc3", "fc3").replace("deconv1.deconv1", "deconv1"), parameter)
             for name, parameter in named("", encoder, decoder).items()]
    save(f"{out_dir}/import-vae.safetensors", dict(parts))
    save(f"{out_dir}/import-mdnrnn.safetensors", named("", rnn))
    mu, _ = encoder(test_image(1, 128, 128)[None])
    latents = randn(T, 1, z).detach()
    parts = mixture(rnn(latents), None)
    swap = lambda t: t[:, 0].transpose(-1, -2)
    save(f"{out_dir}/import-expected.safetensors", {
        "mu": mu[0], "x_hat": torch.sigmoid(decoder(mu))[0, :, ::3, ::3], "latents": latents[:, 0],
        "pi": swap(parts.mixture_distribution.probs), "sigma": swap(parts.component_distribution.scale),
        "mixture_mu": swap(parts.component_distribution.loc)})


def main():
    out_dir = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    print(f"seed {SEED}, torch {torch.__version__}")
    save(f"{out_dir}/layers.safetensors", {
        **conv_cases(), **pointwise_cases(), **lstm_case(), **mdn_case("mdn", 3, 4, 5),
        **mdn_case("mdn_wide", 2, 3, 37), **loss_cases(), **optimizer_cases()})
    vae_files(out_dir)
    mdnrnn_files(out_dir)
    import_files(out_dir)


if __name__ == "__main__":
    main()

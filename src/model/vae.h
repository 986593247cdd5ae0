/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The variational autoencoder: four strided convolutions to mu and logvar,
 * five transposed ones back (World Models' sizes, scaled by one width).
 *
 *   encoder  conv 3 -> w -> 2w -> 4w -> 8w, kernel 4, stride 2, ReLU;
 *            fc1, fc2: 8w*6*6 -> Z
 *   decoder  deconv Z -> 4w -> 2w -> w (kernel 5), -> w/2 -> 3 (kernel 6),
 *            stride 2, ReLU, sigmoid at the end
 *
 * The published decoder begins with fc3 and a deconv1 on a 1x1 map: one affine
 * map, kept here in its folded form.
 *
 * Without padding, a window of the trunk's feature map is the encoding of the
 * same window of the frame. So a frame of any size is encoded once, and fc1 is
 * a 6x6 convolution over the map: one latent per 128x128 window, every
 * `stride` pixels. */

#pragma once

#include "tensor.h"

#define VL_WINDOW 128 /* pixels, height and width of what one latent sees */
#define VL_VAE_CHANNELS 3
#define VL_VAE_STEP 16 /* pixels per feature of the trunk's map */
#define VL_VAE_N_TENSORS 22

typedef struct {
  unsigned width; /* w: even, 2..256; 32 as published */
  unsigned Z;     /* latent size, 1..1024 */
  VlTensorSpec specs[VL_VAE_N_TENSORS];
  size_t n_params;
} VlVae;

/* Fills in the architecture's table. */
void vl_vae_init (VlVae *vae, unsigned width, unsigned Z);

/* Tiles that windows at a stride make of n pixels; 0 if n is too small. */
unsigned vl_vae_grid (unsigned n_pixels, unsigned stride);

/* Buffers to encode frames of one size. */
typedef struct VlEncoder VlEncoder;

/* stride: pixels between windows, a multiple of VL_VAE_STEP; height and width
 * at least VL_WINDOW. The VAE must outlive the encoder. */
VlEncoder *vl_encoder_new (
    const VlVae *vae, unsigned height, unsigned width, unsigned stride);
void vl_encoder_free (VlEncoder *encoder);

/* mu (GY,GX,Z) of image (height,width,3) in [0,1]. No allocation. */
void vl_encoder_run (
    VlEncoder *encoder, VlReal *mu, const VlReal *image, const VlReal *params);

/* Buffers to decode latents one at a time. */
typedef struct VlDecoder VlDecoder;

VlDecoder *vl_decoder_new (const VlVae *vae);
void vl_decoder_free (VlDecoder *decoder);

/* x_hat (128,128,3) in [0,1] of z (Z). No allocation. */
void vl_decoder_run (
    VlDecoder *decoder, VlReal *x_hat, const VlReal *z, const VlReal *params);

/* How the reconstruction is judged (method: sums per image, averaged over the
 * batch). VL_LOSS_PUBLISHED repeats the study's weighting: Bernoulli averaged
 * over pixels and once more over the batch, against 3 KLD averaged over the
 * batch. */
typedef enum {
  VL_LOSS_GAUSSIAN,
  VL_LOSS_BERNOULLI,
  VL_LOSS_PUBLISHED
} VlLossKind;

typedef struct {
  VlLossKind kind;
  double sigma; /* likelihood width of VL_LOSS_GAUSSIAN, (0, 1] */
  double beta;  /* weight of the KLD; ignored by VL_LOSS_PUBLISHED */
} VlVaeLoss;

typedef struct {
  double recon;         /* reconstruction term, sum over the images given */
  double kld;           /* nats, sum over the images given */
  double squared_error; /* sum (x_hat - x)^2 over the images given */
} VlVaeLosses;

/* Buffers of one training worker for up to n images. */
typedef struct VlVaeWork VlVaeWork;

VlVaeWork *vl_vae_work_new (const VlVae *vae, unsigned n);
void vl_vae_work_free (VlVaeWork *work);

/* Losses of x (n,128,128,3) with the noise eps (n,Z). grads (n_params)
 * accumulates the gradient of the batch's mean loss, the batch being
 * `batch` images of which these n are a part; NULL: losses only. */
VlVaeLosses vl_vae_loss (VlVaeWork *work, VlReal *grads, const VlReal *params,
    const VlReal *x, const VlReal *eps, unsigned n, unsigned batch,
    const VlVaeLoss *loss);

/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "vae.h"

#include "activation.h"
#include "conv.h"
#include "gemm.h"
#include "linear.h"
#include "loss.h"

#include <glib.h>
#include <string.h>

#define N_CONVS 4
#define N_DECONVS 5
#define CONV_KERNEL 4
#define MAP 6 /* side of the feature map that one window makes */

/* Places in the table. */
enum {
  CONV = 0, /* conv1..4, weight and bias each */
  FC1 = 2 * N_CONVS,
  FC2 = FC1 + 2,
  DECONV = FC2 + 2, /* deconv1..5 */
};

G_STATIC_ASSERT (DECONV + 2 * N_DECONVS == VL_VAE_N_TENSORS);

static const unsigned deconv_kernel[N_DECONVS] = {5, 5, 5, 6, 6};

static VlTensorSpec
weight_spec (const char *name, unsigned n_dims, size_t A, size_t B, size_t K,
    size_t fan_in)
{
  return (VlTensorSpec){name, n_dims, {A, B, K, K}, 0, fan_in};
}

static VlTensorSpec
bias_spec (const char *name, size_t n, size_t fan_in)
{
  return (VlTensorSpec){name, 1, {n, 1, 1, 1}, 0, fan_in};
}

void
vl_vae_init (VlVae *vae, unsigned width, unsigned Z)
{
  static const char *const names[VL_VAE_N_TENSORS] = {"conv1.weight",
      "conv1.bias", "conv2.weight", "conv2.bias", "conv3.weight", "conv3.bias",
      "conv4.weight", "conv4.bias", "fc1.weight", "fc1.bias", "fc2.weight",
      "fc2.bias", "deconv1.weight", "deconv1.bias", "deconv2.weight",
      "deconv2.bias", "deconv3.weight", "deconv3.bias", "deconv4.weight",
      "deconv4.bias", "deconv5.weight", "deconv5.bias"};
  const size_t w = width;
  const size_t conv[N_CONVS + 1] = {VL_VAE_CHANNELS, w, 2 * w, 4 * w, 8 * w};
  const size_t deconv[N_DECONVS + 1] = {
      Z, 4 * w, 2 * w, w, w / 2, VL_VAE_CHANNELS};
  VlTensorSpec *s = vae->specs;

  vae->width = width;
  vae->Z = Z;
  for (unsigned i = 0; i < N_CONVS; i++) {
    const size_t fan_in = conv[i] * CONV_KERNEL * CONV_KERNEL;
    const unsigned t = CONV + 2 * i;
    s[t] = weight_spec (names[t], 4, conv[i + 1], conv[i], CONV_KERNEL, fan_in);
    s[t + 1] = bias_spec (names[t + 1], conv[i + 1], fan_in);
  }
  for (unsigned t = FC1; t <= FC2; t += 2) {
    s[t] = weight_spec (names[t], 2, Z, 8 * w, MAP, 8 * w * MAP * MAP);
    s[t + 1] = bias_spec (names[t + 1], Z, 8 * w * MAP * MAP);
  }
  for (unsigned i = 0; i < N_DECONVS; i++) {
    const unsigned K = deconv_kernel[i], t = DECONV + 2 * i;
    const size_t fan_in = deconv[i + 1] * K * K; /* as PyTorch counts */
    s[t] = weight_spec (names[t], 4, deconv[i], deconv[i + 1], K, fan_in);
    s[t + 1] = bias_spec (names[t + 1], deconv[i + 1], fan_in);
  }
  /* fc3's bias, seen through deconv1, differs from place to place */
  s[DECONV + 1].n_dims = 3;
  memcpy (s[DECONV + 1].dims, (size_t[4]){1, 4 * w, 5, 5}, sizeof s->dims);
  vae->n_params = vl_tensor_layout (s, VL_VAE_N_TENSORS);
}

unsigned
vl_vae_grid (unsigned n_pixels, unsigned stride)
{
  return vl_conv2d_out (n_pixels, VL_WINDOW, stride);
}

/* Where tensor t begins in an arena. */
static inline const VlReal *
at (const VlVae *vae, const VlReal *arena, unsigned t)
{
  return arena + vae->specs[t].offset;
}

static inline VlReal *
grad_at (const VlVae *vae, VlReal *grads, unsigned t)
{
  return grads + vae->specs[t].offset;
}

static inline size_t
max_size (size_t a, size_t b)
{
  return a > b ? a : b;
}

/* --- encoder: the convolution trunk --- */

typedef struct {
  const VlVae *vae;
  VlConvShape shape[N_CONVS];
  size_t y_size[N_CONVS]; /* numbers per image */
  VlReal *y[N_CONVS];     /* after ReLU */
} VlTrunk;

static size_t
trunk_init (
    VlTrunk *trunk, const VlVae *vae, unsigned B, unsigned H, unsigned W)
{
  size_t scratch = 0;

  trunk->vae = vae;
  for (unsigned i = 0; i < N_CONVS; i++) {
    const VlTensorSpec *w = &vae->specs[CONV + 2 * i];
    VlConvShape *s = &trunk->shape[i];
    *s = (VlConvShape){B, H, W, w->dims[1], w->dims[0], CONV_KERNEL, 2};
    H = vl_conv2d_out (H, CONV_KERNEL, 2);
    W = vl_conv2d_out (W, CONV_KERNEL, 2);
    trunk->y_size[i] = (size_t)H * W * s->OC;
    trunk->y[i] = g_new (VlReal, B * trunk->y_size[i]);
    scratch = max_size (scratch, vl_conv2d_scratch (s));
  }
  return scratch;
}

static void
trunk_clear (VlTrunk *trunk)
{
  for (unsigned i = 0; i < N_CONVS; i++)
    g_free (trunk->y[i]);
}

static void
trunk_forward (VlTrunk *trunk, const VlReal *x, const VlReal *params,
    unsigned n, VlReal *scratch)
{
  for (unsigned i = 0; i < N_CONVS; i++) {
    VlConvShape s = trunk->shape[i];
    s.B = n;
    vl_conv2d_forward (trunk->y[i], i ? trunk->y[i - 1] : x,
        at (trunk->vae, params, CONV + 2 * i),
        at (trunk->vae, params, CONV + 2 * i + 1), &s, scratch);
    vl_relu_forward (trunk->y[i], n * trunk->y_size[i]);
  }
}

/* dy[i] is dL/dy of layer i; dy[3] comes from above, the rest is zeroed and
 * filled here. */
static void
trunk_backward (const VlTrunk *trunk, VlReal *const dy[N_CONVS], VlReal *grads,
    const VlReal *x, const VlReal *params, unsigned n, VlReal *scratch)
{
  for (unsigned i = N_CONVS; i-- > 0;) {
    VlConvShape s = trunk->shape[i];
    s.B = n;
    vl_relu_backward (dy[i], trunk->y[i], n * trunk->y_size[i]);
    if (i)
      memset (dy[i - 1], 0, n * trunk->y_size[i - 1] * sizeof *dy[i]);
    vl_conv2d_backward (i ? dy[i - 1] : NULL,
        grad_at (trunk->vae, grads, CONV + 2 * i),
        grad_at (trunk->vae, grads, CONV + 2 * i + 1), dy[i],
        i ? trunk->y[i - 1] : x, at (trunk->vae, params, CONV + 2 * i), &s,
        scratch);
  }
}

/* --- decoder --- */

typedef struct {
  const VlVae *vae;
  VlConvShape shape[N_DECONVS]; /* [0] is the affine map from z */
  size_t y_size[N_DECONVS];     /* numbers per image */
  VlReal *y[N_DECONVS];         /* after ReLU; the last before the sigmoid */
} VlStack;

static size_t
stack_init (VlStack *stack, const VlVae *vae, unsigned B)
{
  size_t scratch = 0;
  unsigned side = 1;

  stack->vae = vae;
  for (unsigned i = 0; i < N_DECONVS; i++) {
    const VlTensorSpec *w = &vae->specs[DECONV + 2 * i];
    VlConvShape *s = &stack->shape[i];
    *s = (VlConvShape){
        B, side, side, w->dims[0], w->dims[1], deconv_kernel[i], 2};
    side = vl_conv_transpose2d_out (side, s->K, 2);
    stack->y_size[i] = (size_t)side * side * s->OC;
    stack->y[i] = g_new (VlReal, B * stack->y_size[i]);
    if (i)
      scratch = max_size (scratch, vl_conv_transpose2d_scratch (s));
  }
  g_assert (side == VL_WINDOW);
  return scratch;
}

static void
stack_clear (VlStack *stack)
{
  for (unsigned i = 0; i < N_DECONVS; i++)
    g_free (stack->y[i]);
}

static void
stack_forward (VlStack *stack, const VlReal *z, const VlReal *params,
    unsigned n, VlReal *scratch)
{
  const VlVae *vae = stack->vae;

  vl_bias_fill (stack->y[0], at (vae, params, DECONV + 1), n, stack->y_size[0]);
  vl_gemm (VL_NO_TRANS, VL_NO_TRANS, n, stack->y_size[0], vae->Z, z,
      at (vae, params, DECONV), 1, stack->y[0]);
  vl_relu_forward (stack->y[0], n * stack->y_size[0]);
  for (unsigned i = 1; i < N_DECONVS; i++) {
    VlConvShape s = stack->shape[i];
    s.B = n;
    vl_conv_transpose2d_forward (stack->y[i], stack->y[i - 1],
        at (vae, params, DECONV + 2 * i), at (vae, params, DECONV + 2 * i + 1),
        &s, scratch);
    if (i < N_DECONVS - 1)
      vl_relu_forward (stack->y[i], n * stack->y_size[i]);
  }
}

/* dz (n,Z) accumulates. dy[4], the gradient at the logits, comes from above. */
static void
stack_backward (const VlStack *stack, VlReal *dz, VlReal *const dy[N_DECONVS],
    VlReal *grads, const VlReal *z, const VlReal *params, unsigned n,
    VlReal *scratch)
{
  const VlVae *vae = stack->vae;

  for (unsigned i = N_DECONVS - 1; i > 0; i--) {
    VlConvShape s = stack->shape[i];
    s.B = n;
    memset (dy[i - 1], 0, n * stack->y_size[i - 1] * sizeof *dy[i]);
    vl_conv_transpose2d_backward (dy[i - 1],
        grad_at (vae, grads, DECONV + 2 * i),
        grad_at (vae, grads, DECONV + 2 * i + 1), dy[i], stack->y[i - 1],
        at (vae, params, DECONV + 2 * i), &s, scratch);
    vl_relu_backward (dy[i - 1], stack->y[i - 1], n * stack->y_size[i - 1]);
  }
  vl_bias_backward (
      grad_at (vae, grads, DECONV + 1), dy[0], n, stack->y_size[0]);
  vl_gemm (VL_TRANS, VL_NO_TRANS, vae->Z, stack->y_size[0], n, z, dy[0], 1,
      grad_at (vae, grads, DECONV));
  vl_gemm (VL_NO_TRANS, VL_TRANS, n, vae->Z, stack->y_size[0], dy[0],
      at (vae, params, DECONV), 1, dz);
}

/* --- inference --- */

struct VlEncoder {
  VlTrunk trunk;
  VlConvShape head; /* fc1 as a convolution over the trunk's map */
  VlReal *scratch;
};

VlEncoder *
vl_encoder_new (
    const VlVae *vae, unsigned height, unsigned width, unsigned stride)
{
  VlEncoder *encoder = g_new0 (VlEncoder, 1);
  size_t scratch = trunk_init (&encoder->trunk, vae, 1, height, width);
  const VlConvShape *last = &encoder->trunk.shape[N_CONVS - 1];

  encoder->head = (VlConvShape){1, vl_conv2d_out (last->H, CONV_KERNEL, 2),
      vl_conv2d_out (last->W, CONV_KERNEL, 2), last->OC, vae->Z, MAP,
      stride / VL_VAE_STEP};
  scratch = max_size (scratch, vl_conv2d_scratch (&encoder->head));
  encoder->scratch = g_new (VlReal, scratch);
  return encoder;
}

void
vl_encoder_free (VlEncoder *encoder)
{
  if (!encoder)
    return;
  trunk_clear (&encoder->trunk);
  g_free (encoder->scratch);
  g_free (encoder);
}

void
vl_encoder_run (
    VlEncoder *encoder, VlReal *mu, const VlReal *image, const VlReal *params)
{
  const VlVae *vae = encoder->trunk.vae;

  trunk_forward (&encoder->trunk, image, params, 1, encoder->scratch);
  vl_conv2d_forward (mu, encoder->trunk.y[N_CONVS - 1], at (vae, params, FC1),
      at (vae, params, FC1 + 1), &encoder->head, encoder->scratch);
}

struct VlDecoder {
  VlStack stack;
  VlReal *scratch;
};

VlDecoder *
vl_decoder_new (const VlVae *vae)
{
  VlDecoder *decoder = g_new0 (VlDecoder, 1);

  decoder->scratch = g_new (VlReal, stack_init (&decoder->stack, vae, 1));
  return decoder;
}

void
vl_decoder_free (VlDecoder *decoder)
{
  if (!decoder)
    return;
  stack_clear (&decoder->stack);
  g_free (decoder->scratch);
  g_free (decoder);
}

void
vl_decoder_run (
    VlDecoder *decoder, VlReal *x_hat, const VlReal *z, const VlReal *params)
{
  const VlStack *stack = &decoder->stack;

  stack_forward (&decoder->stack, z, params, 1, decoder->scratch);
  memcpy (x_hat, stack->y[N_DECONVS - 1],
      stack->y_size[N_DECONVS - 1] * sizeof *x_hat);
  vl_sigmoid_forward (x_hat, stack->y_size[N_DECONVS - 1]);
}

/* --- training --- */

struct VlVaeWork {
  const VlVae *vae;
  VlTrunk trunk;
  VlStack stack;
  VlReal *dtrunk[N_CONVS], *dstack[N_DECONVS];
  VlReal *mu, *logvar, *z, *dmu, *dlogvar, *dz; /* (n,Z) */
  VlReal *x_hat;                                /* (n,128,128,3) */
  VlReal *scratch;
};

VlVaeWork *
vl_vae_work_new (const VlVae *vae, unsigned n)
{
  VlVaeWork *work = g_new0 (VlVaeWork, 1);
  size_t scratch = trunk_init (&work->trunk, vae, n, VL_WINDOW, VL_WINDOW);
  VlReal **vectors[] = {&work->mu, &work->logvar, &work->z, &work->dmu,
      &work->dlogvar, &work->dz};

  work->vae = vae;
  scratch = max_size (scratch, stack_init (&work->stack, vae, n));
  work->scratch = g_new (VlReal, scratch);
  for (unsigned i = 0; i < N_CONVS; i++)
    work->dtrunk[i] = g_new (VlReal, n * work->trunk.y_size[i]);
  for (unsigned i = 0; i < N_DECONVS; i++)
    work->dstack[i] = g_new (VlReal, n * work->stack.y_size[i]);
  for (unsigned i = 0; i < G_N_ELEMENTS (vectors); i++)
    *vectors[i] = g_new (VlReal, n * vae->Z);
  work->x_hat = g_new (VlReal, n * work->stack.y_size[N_DECONVS - 1]);
  return work;
}

void
vl_vae_work_free (VlVaeWork *work)
{
  if (!work)
    return;
  trunk_clear (&work->trunk);
  stack_clear (&work->stack);
  for (unsigned i = 0; i < N_CONVS; i++)
    g_free (work->dtrunk[i]);
  for (unsigned i = 0; i < N_DECONVS; i++)
    g_free (work->dstack[i]);
  VlReal *buffers[] = {work->mu, work->logvar, work->z, work->dmu,
      work->dlogvar, work->dz, work->x_hat, work->scratch};
  for (unsigned i = 0; i < G_N_ELEMENTS (buffers); i++)
    g_free (buffers[i]);
  g_free (work);
}

static double
squared_error (const VlReal *a, const VlReal *b, size_t n)
{
  double sum = 0;

  for (size_t i = 0; i < n; i++)
    sum += (double)(a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

/* Factors of the two terms in the loss of a batch. */
static void
loss_scales (const VlVaeLoss *loss, unsigned batch, VlReal *recon, VlReal *kld)
{
  const double numbers = VL_WINDOW * VL_WINDOW * VL_VAE_CHANNELS;

  if (loss->kind == VL_LOSS_PUBLISHED) {
    *recon = 1 / (numbers * batch * batch);
    *kld = 3.0 / batch;
  } else {
    *recon = 1.0 / batch;
    *kld = loss->beta / batch;
  }
}

/* Leaves dL/dlogit in the stack's last gradient buffer. */
static void
recon_loss (VlVaeWork *work, VlVaeLosses *losses, const VlReal *x, unsigned n,
    const VlVaeLoss *loss, VlReal scale)
{
  const size_t size = n * work->stack.y_size[N_DECONVS - 1];
  const VlReal *logit = work->stack.y[N_DECONVS - 1];
  VlReal *dlogit = work->dstack[N_DECONVS - 1];

  memset (dlogit, 0, size * sizeof *dlogit);
  memcpy (work->x_hat, logit, size * sizeof *logit);
  vl_sigmoid_forward (work->x_hat, size);
  losses->squared_error = squared_error (work->x_hat, x, size);
  if (loss->kind == VL_LOSS_GAUSSIAN) {
    losses->recon =
        vl_gaussian_loss (dlogit, work->x_hat, x, loss->sigma, scale, size);
    vl_sigmoid_backward (dlogit, work->x_hat, size);
  } else {
    losses->recon = vl_bernoulli_loss (dlogit, logit, x, scale, size);
  }
}

static void
encode (VlVaeWork *work, const VlReal *x, const VlReal *eps,
    const VlReal *params, unsigned n)
{
  const VlVae *vae = work->vae;
  const VlReal *features = work->trunk.y[N_CONVS - 1];
  const size_t size = work->trunk.y_size[N_CONVS - 1];

  trunk_forward (&work->trunk, x, params, n, work->scratch);
  vl_linear_forward (work->mu, features, at (vae, params, FC1),
      at (vae, params, FC1 + 1), n, size, vae->Z);
  vl_linear_forward (work->logvar, features, at (vae, params, FC2),
      at (vae, params, FC2 + 1), n, size, vae->Z);
  vl_reparameterize_forward (work->z, work->mu, work->logvar, eps, n * vae->Z);
}

/* From dL/dlogit, dL/dmu and dL/dlogvar (the KLD's share) to the weights. */
static void
backward (VlVaeWork *work, VlReal *grads, const VlReal *params, const VlReal *x,
    const VlReal *eps, unsigned n)
{
  const VlVae *vae = work->vae;
  const VlReal *features = work->trunk.y[N_CONVS - 1];
  const size_t size = work->trunk.y_size[N_CONVS - 1];
  VlReal *dfeatures = work->dtrunk[N_CONVS - 1];

  memset (work->dz, 0, n * vae->Z * sizeof *work->dz);
  stack_backward (&work->stack, work->dz, work->dstack, grads, work->z, params,
      n, work->scratch);
  vl_reparameterize_backward (
      work->dmu, work->dlogvar, work->dz, work->logvar, eps, n * vae->Z);
  memset (dfeatures, 0, n * size * sizeof *dfeatures);
  vl_linear_backward (dfeatures, grad_at (vae, grads, FC1),
      grad_at (vae, grads, FC1 + 1), work->dmu, features, at (vae, params, FC1),
      n, size, vae->Z);
  vl_linear_backward (dfeatures, grad_at (vae, grads, FC2),
      grad_at (vae, grads, FC2 + 1), work->dlogvar, features,
      at (vae, params, FC2), n, size, vae->Z);
  trunk_backward (
      &work->trunk, work->dtrunk, grads, x, params, n, work->scratch);
}

VlVaeLosses
vl_vae_loss (VlVaeWork *work, VlReal *grads, const VlReal *params,
    const VlReal *x, const VlReal *eps, unsigned n, unsigned batch,
    const VlVaeLoss *loss)
{
  const size_t latents = (size_t)n * work->vae->Z;
  VlVaeLosses losses = {0};
  VlReal recon_scale, kld_scale;

  loss_scales (loss, batch, &recon_scale, &kld_scale);
  encode (work, x, eps, params, n);
  stack_forward (&work->stack, work->z, params, n, work->scratch);
  recon_loss (work, &losses, x, n, loss, recon_scale);
  memset (work->dmu, 0, latents * sizeof *work->dmu);
  memset (work->dlogvar, 0, latents * sizeof *work->dlogvar);
  losses.kld = vl_kld (
      work->dmu, work->dlogvar, work->mu, work->logvar, kld_scale, latents);
  if (grads)
    backward (work, grads, params, x, eps, n);
  return losses;
}

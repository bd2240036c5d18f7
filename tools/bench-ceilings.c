// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bench-ceilings.h"
#include "network/split.h"
#include "parameters.h"

#include <string.h>

/* A run must take so long that what it costs to submit it does not count. */
#define LEAST_MICROSECONDS 15000
#define N_RUNS 5

/* A work-group of so many invocations runs on every device, and so many of these fill a GPU several
 * times over; a processor is full with a few. */
#define LANES 128
#define GPU_GROUPS 4096
#define CPU_GROUPS 64

/* Half precision counts up to here; from there on, adding 1 is rounded away. */
#define HALF_COUNTS_TO 2048

/** Probe: one thing that is measured. */
typedef struct {
  SwinDevice *device;
  SwinDispatch dispatch; /* its push constants are filled in here */
  struct SwinCeilingPush push;
  const SwinBuffer *source, *target; /* (nullable): with no shader, what is copied */
  gdouble work;                      /* of a round: operations or bytes */
} Probe;

static gboolean record(Probe *probe, SwinRecorder *recorder, GError **error) {
  probe->dispatch.push = &probe->push;
  probe->dispatch.push_size = sizeof(probe->push);
  if (probe->dispatch.shader)
    return swin_recorder_dispatch(recorder, &probe->dispatch, error);
  for (guint i = 0; i < probe->push.rounds; i++)
    if (!swin_recorder_copy(recorder, probe->source, 0, probe->target, 0, probe->source->size,
                            error))
      return FALSE;
  return TRUE;
}

/* The quickest of @n_runs, in microseconds. */
static gboolean run(Probe *probe, guint n_runs, gint64 *best, GError **error) {
  g_autoptr(SwinRecorder) recorder = swin_recorder_new(probe->device, SWIN_RECORDER_DEFAULT, error);
  if (!recorder || !record(probe, recorder, error) || !swin_recorder_finish(recorder, error))
    return FALSE;
  *best = G_MAXINT64;
  for (guint i = 0; i < n_runs; i++) {
    const gint64 start = g_get_monotonic_time();
    if (!swin_recorder_run(recorder, error))
      return FALSE;
    *best = MIN(*best, MAX(g_get_monotonic_time() - start, 1));
  }
  return TRUE;
}

/* As many rounds as take long enough, from few on: nobody knows how fast the device is. The first
 * run also compiles. */
static gboolean measure(Probe *probe, guint most_rounds, gdouble *speed, GError **error) {
  gint64 time = 0;
  probe->push.rounds = 1;
  if (!run(probe, 2, &time, error))
    return FALSE;
  while (time < LEAST_MICROSECONDS && probe->push.rounds < most_rounds) {
    const guint factor = (guint)CLAMP(2 * LEAST_MICROSECONDS / time, 2, 32);
    probe->push.rounds = MIN(probe->push.rounds * factor, most_rounds);
    if (!run(probe, 1, &time, error))
      return FALSE;
  }
  if (!run(probe, N_RUNS, &time, error))
    return FALSE;
  *speed = probe->push.rounds * probe->work * 1e6 / (gdouble)time;
  return TRUE;
}

static gboolean fail(const gchar *what, GError **error) {
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_DEVICE,
              "The driver gets the %s of the ceilings wrong, so they cannot be measured; "
              "another version of it may do better.",
              what);
  return FALSE;
}

static guint64 n_groups(SwinDevice *device) {
  const gboolean gpu = swin_device_get_info(device)->kind != SWIN_DEVICE_KIND_CPU;
  return MIN(gpu ? GPU_GROUPS : CPU_GROUPS, swin_device_get_limits(device)->max_groups[0]);
}

static SwinBinding bind(const SwinBuffer *buffer, SwinAccess access) {
  return (SwinBinding){buffer, 0, buffer->size, access};
}

/* (transfer full): what the shader of @probe wrote. */
static gpointer read_results(const Probe *probe, GError **error) {
  const SwinBinding *results = &probe->dispatch.bindings[1];
  g_autofree gpointer values = g_malloc(results->size);
  return swin_buffer_read((SwinBuffer *)results->buffer, 0, values, results->size, error)
             ? g_steal_pointer(&values)
             : NULL;
}

/* ---- Arithmetic ----------------------------------------------------------------------------- */

static gboolean check_arithmetic(const Probe *probe, SwinStorage storage, GError **error) {
  const guint n_steps = probe->push.rounds * SWIN_CEILING_STEPS;
  gfloat expected = 0.0f;
  for (guint i = 0; i < SWIN_CEILING_CHAINS; i++)
    expected +=
        (gfloat)(storage == SWIN_STORAGE_F16 ? MIN(n_steps + i, HALF_COUNTS_TO) : n_steps + i);
  g_autofree gfloat *sums = read_results(probe, error);
  if (!sums)
    return FALSE;
  for (guint64 i = 0; i < probe->dispatch.groups[0] * LANES; i++)
    if (sums[i] != expected)
      return fail("arithmetic", error);
  return TRUE;
}

static gboolean measure_arithmetic(SwinDevice *device, SwinStorage storage, gdouble *speed,
                                   GError **error) {
  const gfloat step[] = {1.0f, 1.0f};
  const guint64 n_invocations = n_groups(device) * LANES;
  g_autoptr(SwinBuffer) input = swin_buffer_new(device, SWIN_BUFFER_DEVICE, sizeof(step), error);
  g_autoptr(SwinBuffer) sums =
      input ? swin_buffer_new(device, SWIN_BUFFER_DEVICE, n_invocations * sizeof(gfloat), error)
            : NULL;
  if (!sums || !swin_buffer_write(input, 0, step, sizeof(step), error))
    return FALSE;
  Probe probe = {
      .device = device,
      .dispatch = {.shader = swin_operation_shader("ceiling-arithmetic", storage),
                   .label = "ceiling-arithmetic",
                   .n_constants = 1,
                   .constants = {LANES},
                   .n_bindings = 2,
                   .bindings = {bind(input, SWIN_ACCESS_READ), bind(sums, SWIN_ACCESS_WRITE)},
                   .groups = {n_groups(device), 1, 1}},
      .work = 2.0 * SWIN_CEILING_CHAINS * SWIN_CEILING_STEPS * (gdouble)n_invocations,
  };
  return measure(&probe, SWIN_MAX_ITERATIONS, speed, error) &&
         check_arithmetic(&probe, storage, error);
}

/* ---- Matrix units --------------------------------------------------------------------------- */

#ifdef HAVE_MATRIX_SHADERS
#define SUBGROUPS 4 /* of a work-group */

/* The factors of a product as the shader reads them: 1.0 and -1.0 in half precision, 1 more often.
 */
static void draw_factors(guint n_values, guint16 *values) {
  g_autoptr(GRand) random = g_rand_new_with_seed(1);
  for (guint i = 0; i < n_values; i++)
    values[i] = g_rand_int_range(random, 0, 3) > 0 ? 0x3c00 : 0xbc00;
}

static gdouble get_factor(guint16 value) {
  return value == 0x3c00 ? 1.0 : -1.0;
}

/* Every subgroup's sums begin with 0, 1, 2, ... */
static gboolean check_matrix(const Probe *probe, const SwinMatrixShape *shape,
                             const guint16 *factors, GError **error) {
  const guint16 *right = factors + shape->m * shape->k;
  g_autofree gfloat *sums = read_results(probe, error);
  if (!sums)
    return FALSE;
  for (guint64 i = 0; i < probe->dispatch.bindings[1].size / sizeof(gfloat); i++) {
    const guint64 row = i / shape->n % shape->m, column = i % shape->n;
    gdouble product = 0.0;
    for (guint k = 0; k < shape->k; k++)
      product += get_factor(factors[row * shape->k + k]) * get_factor(right[k * shape->n + column]);
    const gdouble expected = SWIN_CEILING_PRODUCTS * (probe->push.rounds * product) +
                             SWIN_CEILING_PRODUCTS * (SWIN_CEILING_PRODUCTS - 1) / 2.0;
    if (sums[i] != (gfloat)expected)
      return fail("matrix products", error);
  }
  return TRUE;
}

static gboolean measure_matrix(SwinDevice *device, const SwinMatrixShape *shape, gdouble *speed,
                               GError **error) {
  const guint32 subgroup = swin_device_get_limits(device)->subgroup_size;
  const guint n_factors = (shape->m + shape->n) * shape->k;
  const guint64 n_subgroups = n_groups(device) * SUBGROUPS;
  g_autofree guint16 *factors = g_new(guint16, n_factors);
  draw_factors(n_factors, factors);
  g_autoptr(SwinBuffer) input =
      swin_buffer_new(device, SWIN_BUFFER_DEVICE, n_factors * sizeof(guint16), error);
  g_autoptr(SwinBuffer) sums =
      input ? swin_buffer_new(device, SWIN_BUFFER_DEVICE,
                              n_subgroups * shape->m * shape->n * sizeof(gfloat), error)
            : NULL;
  if (!sums || !swin_buffer_write(input, 0, factors, n_factors * sizeof(guint16), error))
    return FALSE;
  Probe probe = {
      .device = device,
      .dispatch = {.shader = "ceiling-matrix",
                   .label = "ceiling-matrix",
                   .n_constants = 4,
                   .constants = {SUBGROUPS * subgroup, shape->m, shape->n, shape->k},
                   .n_bindings = 2,
                   .bindings = {bind(input, SWIN_ACCESS_READ), bind(sums, SWIN_ACCESS_WRITE)},
                   .groups = {n_groups(device), 1, 1},
                   .subgroup_size = subgroup},
      .work = 2.0 * shape->m * shape->n * shape->k * SWIN_CEILING_PRODUCTS * (gdouble)n_subgroups,
  };
  /* All sums together stay exact. */
  const guint most_rounds = (1u << 24) / (SWIN_CEILING_PRODUCTS * (shape->k + 1));
  return measure(&probe, MIN(most_rounds, SWIN_MAX_ITERATIONS), speed, error) &&
         check_matrix(&probe, shape, factors, error);
}
#endif

static gboolean measure_matrices(G_GNUC_UNUSED SwinDevice *device,
                                 G_GNUC_UNUSED SwinBenchCeilings *ceilings,
                                 G_GNUC_UNUSED GError **error) {
#ifdef HAVE_MATRIX_SHADERS
  const SwinExtensions *extensions = swin_device_get_extensions(device);
  for (guint i = 0; i < extensions->n_matrix_shapes; i++) {
    gdouble speed = 0.0;
    if (!measure_matrix(device, &extensions->matrix_shapes[i], &speed, error))
      return FALSE;
    if (speed > ceilings->matrix) {
      ceilings->matrix = speed;
      ceilings->shape = extensions->matrix_shapes[i];
    }
  }
#endif
  return TRUE;
}

/* ---- Bandwidth ------------------------------------------------------------------------------ */

#define VECTOR 16 /* bytes */

static const guint64 sizes[SWIN_BENCH_MAX_SIZES] = {1 << 20, 1 << 24, 1 << 28};

/* Words that a compiler cannot foresee. */
static guint32 get_word(guint64 index) {
  return (guint32)index * 2654435761u;
}

static guint32 sum_vector(guint64 vector) {
  guint32 sum = 0;
  for (guint i = 0; i < VECTOR / 4; i++)
    sum += get_word(VECTOR / 4 * vector + i);
  return sum;
}

static gboolean check_bandwidth(const Probe *probe, GError **error) {
  const guint64 n_invocations = probe->dispatch.groups[0] * LANES;
  const guint64 stride = n_invocations + SWIN_CEILING_SHIFT * LANES;
  g_autofree guint32 *sums = read_results(probe, error);
  if (!sums)
    return FALSE;
  /* Some of the invocations, of many work-groups and all places within. */
  for (guint64 i = 0; i < n_invocations; i += n_invocations / LANES + 1) {
    guint32 expected = 0;
    for (guint64 j = 0; j < (guint64)probe->push.rounds * SWIN_CEILING_STEPS; j++)
      expected += sum_vector((i + j * stride) & probe->push.mask);
    if (sums[i] != expected)
      return fail("sums", error);
  }
  return TRUE;
}

static gboolean measure_reads(SwinDevice *device, const SwinBuffer *source, gdouble *speed,
                              GError **error) {
  const guint64 n_invocations = n_groups(device) * LANES;
  g_autoptr(SwinBuffer) sums =
      swin_buffer_new(device, SWIN_BUFFER_DEVICE, n_invocations * sizeof(guint32), error);
  if (!sums)
    return FALSE;
  Probe probe = {
      .device = device,
      .dispatch = {.shader = "ceiling-bandwidth",
                   .label = "ceiling-bandwidth",
                   .n_constants = 1,
                   .constants = {LANES},
                   .n_bindings = 2,
                   .bindings = {bind(source, SWIN_ACCESS_READ), bind(sums, SWIN_ACCESS_WRITE)},
                   .groups = {n_groups(device), 1, 1}},
      .push = {.mask = (guint32)(source->size / VECTOR - 1)},
      .work = (gdouble)VECTOR * SWIN_CEILING_STEPS * (gdouble)n_invocations,
  };
  return measure(&probe, SWIN_MAX_ITERATIONS / 8, speed, error) && check_bandwidth(&probe, error);
}

#define MOST_COPIES 256

/* A processor's own way to move bytes is faster than what its shaders do. */
static gboolean measure_copies(SwinDevice *device, const SwinBuffer *source, gdouble *speed,
                               GError **error) {
  g_autoptr(SwinBuffer) target = swin_buffer_new(device, SWIN_BUFFER_DEVICE, source->size, error);
  if (!target)
    return FALSE;
  Probe probe = {
      .device = device, .source = source, .target = target, .work = 2.0 * (gdouble)source->size};
  return measure(&probe, MOST_COPIES, speed, error);
}

/* (transfer full): a buffer with words that get_word() knows. */
static SwinBuffer *make_source(SwinDevice *device, guint64 n_bytes, GError **error) {
  g_autofree guint32 *words = g_try_malloc(n_bytes);
  g_autoptr(SwinBuffer) source = swin_buffer_new(device, SWIN_BUFFER_DEVICE, n_bytes, error);
  if (!source)
    return NULL;
  if (!words) {
    g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_OUT_OF_MEMORY,
                        "There is not enough memory to measure the device's bandwidth.");
    return NULL;
  }
  for (guint64 i = 0; i < n_bytes / sizeof(guint32); i++)
    words[i] = get_word(i);
  return swin_buffer_write(source, 0, words, n_bytes, error) ? g_steal_pointer(&source) : NULL;
}

static gboolean measure_bandwidth(SwinDevice *device, SwinBenchCeilings *ceilings, GError **error) {
  for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
    guint64 n_bytes = sizes[i];
    while (n_bytes > swin_device_get_limits(device)->max_storage_range)
      n_bytes /= 2;
    SwinBenchBandwidth *bandwidth = &ceilings->bandwidth[ceilings->n_sizes++];
    gdouble reads = 0.0, copies = 0.0;
    g_autoptr(SwinBuffer) source = make_source(device, n_bytes, error);
    if (!source || !measure_reads(device, source, &reads, error) ||
        !measure_copies(device, source, &copies, error))
      return FALSE;
    *bandwidth = (SwinBenchBandwidth){n_bytes, MAX(reads, copies)};
  }
  return TRUE;
}

/* ---- All of them ---------------------------------------------------------------------------- */

gboolean swin_bench_measure_ceilings(SwinDevice *device, SwinBenchCeilings *ceilings,
                                     GError **error) {
  *ceilings = (SwinBenchCeilings){0};
  if (!measure_arithmetic(device, SWIN_STORAGE_F32, &ceilings->fp32, error))
    return FALSE;
  if (swin_device_get_extensions(device)->half &&
      !measure_arithmetic(device, SWIN_STORAGE_F16, &ceilings->fp16, error))
    return FALSE;
  return measure_matrices(device, ceilings, error) && measure_bandwidth(device, ceilings, error);
}

gdouble swin_bench_ceiling_arithmetic(const SwinBenchCeilings *ceilings, SwinStorage storage) {
  return storage == SWIN_STORAGE_F32 ? ceilings->fp32
                                     : MAX(ceilings->fp32, MAX(ceilings->fp16, ceilings->matrix));
}

gdouble swin_bench_ceiling_bandwidth(const SwinBenchCeilings *ceilings, guint64 n_bytes) {
  gdouble fastest = 0.0;
  for (guint i = 0; i < ceilings->n_sizes; i++)
    if (n_bytes <= ceilings->bandwidth[i].n_bytes || i + 1 == ceilings->n_sizes)
      fastest = MAX(fastest, ceilings->bandwidth[i].speed);
  return fastest;
}

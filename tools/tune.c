// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tune.h"

#include <string.h>

#include "commands.h"
#include "network/linear-private.h"

/* A kernel that is not faster than this part of the default one's time is not worth a change: so
 * much differs from run to run. */
#define WORTHWHILE 0.98

void swin_tune_product_free(SwinTuneProduct *product) {
  if (!product)
    return;
  g_free(product->name);
  g_free(product);
}

/** Candidate: a kernel, and the network recorded with it. */
typedef struct {
  SwinLinearKernel kernel;
  SwinRecorder *recorder; /* (nullable): not yet, or refused by the device */
  gboolean is_refused;
} Candidate;

static void candidate_free(gpointer data) {
  Candidate *candidate = data;
  swin_recorder_free(candidate->recorder);
  g_free(candidate);
}

/* ---- Products ------------------------------------------------------------------------------- */

static gboolean same_product(const SwinTuneProduct *a, const SwinLinearProduct *b,
                             SwinLinearKind kind) {
  return a->kernels[0].kind == kind && a->product.storage == b->storage &&
         a->product.rows == b->rows && a->product.depth == b->depth &&
         a->product.columns == b->columns;
}

/* The product of an operation among those from @first on, or a new one. */
static SwinTuneProduct *find_product(const SwinTune *tune, const SwinPlan *plan,
                                     const SwinOperation *operation, guint batch,
                                     GPtrArray *products, guint first) {
  const SwinLinearProduct product = swin_linear_product(plan, operation);
  const SwinLinearKind kind = swin_linear_operation_kind(plan, operation, tune->device);
  for (guint i = first; i < products->len; i++)
    if (same_product(g_ptr_array_index(products, i), &product, kind))
      return g_ptr_array_index(products, i);
  SwinTuneProduct *found = g_new0(SwinTuneProduct, 1);
  found->batch = batch;
  found->name = g_strdup(operation->name);
  found->product = product;
  found->n_kernels = swin_linear_list_kind(tune->device, kind, &product, found->kernels);
  g_ptr_array_add(products, found);
  return found;
}

/* (transfer container): the product of each operation by its name, which labels its dispatches. */
static GHashTable *list_products(const SwinTune *tune, const SwinPlan *plan, guint batch,
                                 GPtrArray *products) {
  GHashTable *by_name = g_hash_table_new(g_str_hash, g_str_equal);
  const guint first = products->len;
  for (guint i = 0; i < swin_plan_get_n_operations(plan); i++) {
    const SwinOperation *operation = swin_plan_get_operation(plan, i);
    if (operation->klass != &swin_linear_class)
      continue;
    SwinTuneProduct *product = find_product(tune, plan, operation, batch, products, first);
    product->n_operations++;
    g_hash_table_insert(by_name, (gpointer)operation->name, product);
  }
  return by_name;
}

/* ---- Candidates ----------------------------------------------------------------------------- */

static void add_candidate(GPtrArray *candidates, const SwinLinearKernel *kernel) {
  for (guint i = 0; i < candidates->len; i++)
    if (swin_linear_kernel_equal(&((Candidate *)g_ptr_array_index(candidates, i))->kernel, kernel))
      return;
  Candidate *candidate = g_new0(Candidate, 1);
  candidate->kernel = *kernel;
  g_ptr_array_add(candidates, candidate);
}

/* Every kernel that a product from @first on has a choice of, those taken untuned first. */
static GPtrArray *list_candidates(const GPtrArray *products, guint first) {
  GPtrArray *candidates = g_ptr_array_new_with_free_func(candidate_free);
  for (guint n_rounds = 0; n_rounds < SWIN_LINEAR_MAX_KERNELS; n_rounds++)
    for (guint i = first; i < products->len; i++) {
      const SwinTuneProduct *product = g_ptr_array_index(products, i);
      if (product->n_kernels > 1 && n_rounds < product->n_kernels)
        add_candidate(candidates, &product->kernels[n_rounds]);
    }
  return candidates;
}

/* Records the network with a candidate. FALSE with an error other than that it cannot run. */
static gboolean record(const SwinTune *tune, SwinNetwork *network, Candidate *candidate,
                       GError **error) {
  g_autoptr(GError) refusal = NULL;
  g_autoptr(SwinRecorder) recorder =
      swin_recorder_new(tune->device, SWIN_RECORDER_TIMESTAMPS, error);
  if (!recorder)
    return FALSE;
  swin_linear_force_kernel(&candidate->kernel);
  const gboolean recorded = swin_network_record(network, recorder, NULL, &refusal) &&
                            swin_recorder_finish(recorder, &refusal);
  swin_linear_force_kernel(NULL);
  if (recorded) {
    candidate->recorder = g_steal_pointer(&recorder);
    return TRUE;
  }
  candidate->is_refused = g_error_matches(refusal, SWIN_ERROR, SWIN_ERROR_DEVICE);
  if (!candidate->is_refused)
    g_propagate_error(error, g_steal_pointer(&refusal));
  return candidate->is_refused;
}

/* ---- Times ---------------------------------------------------------------------------------- */

/* Of an operation, which may take several dispatches one behind the other. */
static void keep_time(GHashTable *by_name, const gchar *name, const SwinLinearKernel *kernel,
                      gdouble time) {
  SwinTuneProduct *product = g_hash_table_lookup(by_name, name);
  for (guint i = 0; product && i < product->n_kernels; i++)
    if (swin_linear_kernel_equal(&product->kernels[i], kernel))
      product->times[i] = product->times[i] > 0 ? MIN(product->times[i], time) : time;
}

static gboolean time_run(const Candidate *candidate, GHashTable *by_name, GError **error) {
  SwinRecorder *recorder = candidate->recorder;
  const guint n_dispatches = swin_recorder_get_n_dispatches(recorder);
  g_autofree gdouble *times = g_new0(gdouble, n_dispatches + 1);
  if (!swin_recorder_run(recorder, error) || !swin_recorder_read_times(recorder, times, error))
    return FALSE;
  for (guint i = 0; i < n_dispatches;) {
    const gchar *name = swin_recorder_get_label(recorder, i);
    gdouble time = 0;
    for (; i < n_dispatches && strcmp(swin_recorder_get_label(recorder, i), name) == 0; i++)
      time += times[i];
    if (time > 0)
      keep_time(by_name, name, &candidate->kernel, time);
  }
  return TRUE;
}

static gboolean is_late(const SwinTune *tune) {
  return g_get_monotonic_time() > tune->deadline;
}

/* The kernels take turns, so that a device that slows down is not held against one of them. The
 * first run of each is not counted: memory and caches are cold, and some drivers compile in it. The
 * first kernel has its turn even when compiling the network took all the time. */
static gboolean measure(const SwinTune *tune, SwinNetwork *network, const GPtrArray *candidates,
                        GHashTable *by_name, GError **error) {
  for (guint round = 0; round < tune->n_runs; round++)
    for (guint i = 0; i < candidates->len && (round + i == 0 || !is_late(tune)); i++) {
      Candidate *candidate = g_ptr_array_index(candidates, i);
      const gboolean is_first = !candidate->recorder && !candidate->is_refused;
      if (is_first && !record(tune, network, candidate, error))
        return FALSE;
      if (candidate->is_refused)
        continue;
      if ((is_first && !swin_recorder_run(candidate->recorder, error)) ||
          !time_run(candidate, by_name, error))
        return FALSE;
    }
  return TRUE;
}

static void choose(SwinTuneProduct *product) {
  gdouble best = product->times[0];
  for (guint i = 1; i < product->n_kernels && product->times[0] > 0; i++)
    if (product->times[i] > 0 && product->times[i] < best &&
        product->times[i] < WORTHWHILE * product->times[0]) {
      best = product->times[i];
      product->chosen = i;
    }
}

gboolean swin_tune_network(const SwinTune *tune, guint batch, GPtrArray *products, GError **error) {
  g_autoptr(SwinNetwork) network =
      swin_command_make_network(tune->device, tune->model, tune->precision, batch, 0, FALSE, error);
  if (!network || !swin_command_write_input(network, error))
    return FALSE;
  const guint first = products->len;
  g_autoptr(GHashTable) by_name =
      list_products(tune, swin_network_get_plan(network), batch, products);
  g_autoptr(GPtrArray) candidates = list_candidates(products, first);
  if (!measure(tune, network, candidates, by_name, error))
    return FALSE;
  for (guint i = first; i < products->len; i++)
    choose(g_ptr_array_index(products, i));
  return TRUE;
}

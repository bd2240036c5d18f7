// SPDX-License-Identifier: LGPL-2.1-or-later
/* How many dispatches and barriers a network costs: at batch 1, these are the latency of a GPU. */
#include "network/family.h"
#include "operations/harness.h"

static const struct {
  const gchar *name;
  SwinDeviceKind kind;
  guint n_dispatches;
} networks[] = {
    /* Partition, projection and norm of the patches; 12 blocks of seven; three mergings of two;
     * pool, head and tags. */
    {"swin_t", SWIN_DEVICE_KIND_CPU, 3 + 12 * 7 + 3 * 2 + 3},
    /* Patches and their norm; blocks of five; mergings of one. */
    {"swin_t", SWIN_DEVICE_KIND_DISCRETE, 2 + 12 * 5 + 3 + 3},
    /* The norms behind V2's products stay. */
    {"swin_v2_t", SWIN_DEVICE_KIND_CPU, 3 + 12 * 7 + 3 * 3 + 3},
    {"swin_v2_t", SWIN_DEVICE_KIND_DISCRETE, 2 + 12 * 7 + 3 * 2 + 3},
    /* Position embedding in place of the patch norm; no mergings. */
    {"vit_tiny", SWIN_DEVICE_KIND_CPU, 3 + 12 * 7 + 3},
    {"vit_tiny", SWIN_DEVICE_KIND_DISCRETE, 2 + 12 * 5 + 3},
};

static SwinNetwork *make_network(SwinDevice *device, SwinModel *model) {
  const SwinPlanOptions options = {.batch = 1, .top_k = 5, .fused = swin_network_fuses(device)};
  g_autoptr(GError) error = NULL;
  SwinPlan *plan = swin_family_plan(model, &options);

  swin_plan_finish(plan, swin_network_alignment(device), 0);
  g_autoptr(SwinWeights) weights = swin_weights_new(device, plan, &error);
  ck_assert_msg(weights != NULL, "%s", error != NULL ? error->message : "");
  SwinNetwork *network = swin_network_new(device, plan, weights, NULL, &error);
  ck_assert_msg(network != NULL, "%s", error != NULL ? error->message : "");
  return network;
}

START_TEST(dispatches_and_barriers) {
  SwinDevice *device = harness_device();
  g_autoptr(GError) error = NULL;
  g_autoptr(SwinModel) model = swin_model_new_random(networks[_i].name, 1, &error);
  g_autoptr(SwinRecorder) recorder = swin_recorder_new(device, SWIN_RECORDER_DEFAULT, &error);

  ck_assert(model != NULL && recorder != NULL);
  harness_pretend(networks[_i].kind);
  g_autoptr(SwinNetwork) network = make_network(device, model);
  ck_assert_msg(swin_network_record(network, recorder, NULL, &error), "%s",
                error != NULL ? error->message : "");
  harness_restore();
  ck_assert(swin_recorder_finish(recorder, &error));

  guint n_barriers = swin_recorder_get_n_barriers(recorder);
  ck_assert_uint_eq(swin_recorder_get_n_dispatches(recorder), networks[_i].n_dispatches);
  /* Each operation needs the one before; one more barrier stands at either end. */
  ck_assert_uint_le(n_barriers, networks[_i].n_dispatches + 1);
  g_print("%s as on a %s device: %u dispatches, %u barriers\n", networks[_i].name,
          swin_device_kind_name(networks[_i].kind), networks[_i].n_dispatches, n_barriers);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("dispatches");
  TCase *cases = tcase_create("all");

  tcase_add_loop_test(cases, dispatches_and_barriers, 0, G_N_ELEMENTS(networks));
  tcase_set_timeout(cases, 60);
  suite_add_tcase(suite, cases);
  return harness_run(suite);
}

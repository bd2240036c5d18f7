// SPDX-License-Identifier: LGPL-2.1-or-later
#include "flight.h"

struct _SwinFlight {
  GMutex lock;
  GCond landed;
  GQueue passages; /* of Passage, in the order of submission */
};

typedef struct {
  SwinFlight *flight;
  SwinJob *job; /* owned */
  SwinJobFunc done;
  gpointer user_data;
} Passage;

SwinFlight *swin_flight_new(void) {
  SwinFlight *flight = g_new0(SwinFlight, 1);

  g_mutex_init(&flight->lock);
  g_cond_init(&flight->landed);
  g_queue_init(&flight->passages);
  return flight;
}

void swin_flight_free(SwinFlight *flight) {
  if (flight == NULL)
    return;
  g_mutex_clear(&flight->lock);
  g_cond_clear(&flight->landed);
  g_free(flight);
}

static void forget(Passage *passage) {
  SwinFlight *flight = passage->flight;
  SwinJob *job = passage->job;

  g_mutex_lock(&flight->lock);
  g_queue_remove(&flight->passages, passage);
  g_cond_broadcast(&flight->landed);
  g_mutex_unlock(&flight->lock);
  swin_job_unref(job);
  g_free(passage);
}

// SwinJobFunc
static void land(gpointer job, gpointer user_data) {
  Passage *passage = user_data;

  passage->done(job, passage->user_data);
  forget(passage);
}

gboolean swin_flight_submit(SwinFlight *flight, SwinJob *job, const SwinFrame *frame,
                            SwinMapping *mapping, SwinJobFunc done, gpointer user_data,
                            GError **error) {
  Passage *passage = g_new(Passage, 1);

  *passage = (Passage){flight, swin_job_ref(job), done, user_data};
  g_mutex_lock(&flight->lock);
  g_queue_push_tail(&flight->passages, passage);
  g_mutex_unlock(&flight->lock);
  if (swin_job_submit(job, frame, mapping, land, passage, error))
    return TRUE;
  forget(passage);
  return FALSE;
}

// (transfer full): the inferences that have jobs under way, each once.
static GPtrArray *list_inferences(SwinFlight *flight) {
  GPtrArray *inferences = g_ptr_array_new_with_free_func((GDestroyNotify)swin_inference_unref);

  g_mutex_lock(&flight->lock);
  for (GList *link = flight->passages.head; link != NULL; link = link->next) {
    SwinInference *inference = ((Passage *)link->data)->job->inference;

    if (!g_ptr_array_find(inferences, inference, NULL))
      g_ptr_array_add(inferences, swin_inference_ref(inference));
  }
  g_mutex_unlock(&flight->lock);
  return inferences;
}

void swin_flight_cancel(SwinFlight *flight) {
  g_autoptr(GPtrArray) inferences = list_inferences(flight);

  for (guint i = 0; i < inferences->len; i++)
    swin_classifier_cancel(swin_inference_get_classifier(inferences->pdata[i]));
}

void swin_flight_drain(SwinFlight *flight) {
  g_autoptr(GPtrArray) inferences = list_inferences(flight);

  g_mutex_lock(&flight->lock);
  while (!g_queue_is_empty(&flight->passages))
    g_cond_wait(&flight->landed, &flight->lock);
  g_mutex_unlock(&flight->lock);
  // The last callbacks may not have returned yet.
  for (guint i = 0; i < inferences->len; i++)
    swin_classifier_drain(swin_inference_get_classifier(inferences->pdata[i]));
}

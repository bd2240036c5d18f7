// SPDX-License-Identifier: LGPL-2.1-or-later
#include "queue.h"

struct _SwinQueue {
  gatomicrefcount ref_count;
  GMutex lock;
  GCond changed; /* of anything below */
  GQueue items;  /* of SwinItem, owned */
  GstFlowReturn flow;
  guint max_inferences;
  guint n_frames;
  guint n_inferences; /* that queued frames wait for */
  gboolean ended;     /* EOS has come in */
};

/* ---- Items -------------------------------------------------------------------------------- */

SwinItem *swin_item_new(SwinQueue *queue, SwinItemKind kind, gpointer object) {
  SwinItem *item = g_new0(SwinItem, 1);

  g_atomic_ref_count_init(&item->ref_count);
  item->queue = swin_queue_ref(queue);
  item->kind = kind;
  item->object = object;
  return item;
}

SwinItem *swin_item_new_frame(SwinQueue *queue, GstBuffer *buffer, SwinLook *look) {
  SwinItem *item = swin_item_new(queue, SWIN_ITEM_FRAME, buffer);

  item->look = look;
  return item;
}

SwinItem *swin_item_ref(SwinItem *item) {
  g_atomic_ref_count_inc(&item->ref_count);
  return item;
}

void swin_item_unref(SwinItem *item) {
  if (item == NULL || !g_atomic_ref_count_dec(&item->ref_count))
    return;
  if (item->object != NULL && item->kind != SWIN_ITEM_QUERY)
    gst_mini_object_unref(item->object);
  swin_look_unref(item->look);
  swin_queue_unref(item->queue);
  g_free(item);
}

gpointer swin_item_steal(SwinItem *item) {
  return g_steal_pointer(&item->object);
}

void swin_item_expect(SwinItem *item, guint n_inferences) {
  item->n_inferences = n_inferences;
}

void swin_item_complete(SwinItem *item) {
  SwinQueue *queue = item->queue;

  g_mutex_lock(&queue->lock);
  if (item->queued)
    queue->n_inferences -= item->n_inferences;
  item->n_inferences = 0;
  g_cond_broadcast(&queue->changed);
  g_mutex_unlock(&queue->lock);
}

/* ---- Life --------------------------------------------------------------------------------- */

SwinQueue *swin_queue_new(void) {
  SwinQueue *queue = g_new0(SwinQueue, 1);

  g_atomic_ref_count_init(&queue->ref_count);
  g_mutex_init(&queue->lock);
  g_cond_init(&queue->changed);
  g_queue_init(&queue->items);
  queue->flow = GST_FLOW_FLUSHING;
  queue->max_inferences = SWIN_QUEUE_MIN_INFERENCES;
  return queue;
}

SwinQueue *swin_queue_ref(SwinQueue *queue) {
  g_atomic_ref_count_inc(&queue->ref_count);
  return queue;
}

// Every item holds a reference, so the queue is empty here.
void swin_queue_unref(SwinQueue *queue) {
  if (queue == NULL || !g_atomic_ref_count_dec(&queue->ref_count))
    return;
  g_mutex_clear(&queue->lock);
  g_cond_clear(&queue->changed);
  g_free(queue);
}

void swin_queue_set_max_inferences(SwinQueue *queue, guint max_inferences) {
  g_mutex_lock(&queue->lock);
  queue->max_inferences = max_inferences;
  g_cond_broadcast(&queue->changed);
  g_mutex_unlock(&queue->lock);
}

static guint read_number(SwinQueue *queue, const guint *number) {
  guint value;

  g_mutex_lock(&queue->lock);
  value = *number;
  g_mutex_unlock(&queue->lock);
  return value;
}

guint swin_queue_get_max_inferences(SwinQueue *queue) {
  return read_number(queue, &queue->max_inferences);
}

guint swin_queue_count_inferences(SwinQueue *queue) {
  return read_number(queue, &queue->n_inferences);
}

void swin_queue_start(SwinQueue *queue) {
  g_mutex_lock(&queue->lock);
  queue->flow = GST_FLOW_OK;
  queue->ended = FALSE;
  g_cond_broadcast(&queue->changed);
  g_mutex_unlock(&queue->lock);
}

void swin_queue_stop(SwinQueue *queue) {
  g_mutex_lock(&queue->lock);
  queue->flow = GST_FLOW_FLUSHING;
  g_cond_broadcast(&queue->changed);
  g_mutex_unlock(&queue->lock);
}

/* ---- Inside the lock ---------------------------------------------------------------------- */

// Takes @item, which is no longer a member of the list, off the counts.
static void forget_item(SwinQueue *queue, SwinItem *item) {
  item->queued = FALSE;
  if (item->kind != SWIN_ITEM_FRAME)
    return;
  queue->n_frames--;
  queue->n_inferences -= item->n_inferences;
}

static gboolean is_event(const SwinItem *item, GstEventType type) {
  return item->kind == SWIN_ITEM_EVENT && GST_EVENT_TYPE(item->object) == type;
}

static gboolean begins_anew(const SwinItem *item) {
  return is_event(item, GST_EVENT_SEGMENT) || is_event(item, GST_EVENT_STREAM_START);
}

// Moves the frames that precede a new segment to @dropped. FALSE when no new segment is queued.
static gboolean drop_until_new_segment(SwinQueue *queue, GQueue *dropped) {
  GList *link = queue->items.head;

  while (link != NULL && !begins_anew(link->data)) {
    GList *next = link->next;
    SwinItem *item = link->data;

    if (item->kind == SWIN_ITEM_FRAME) {
      forget_item(queue, item);
      g_queue_unlink(&queue->items, link);
      g_queue_push_tail_link(dropped, link);
    }
    link = next;
  }
  return link != NULL;
}

static gboolean is_running(GstFlowReturn flow) {
  return flow == GST_FLOW_OK || flow == GST_FLOW_EOS;
}

// More than a few frames are let in only for inferences to be under way side by side: what is
// ahead of a slow sink gets old.
static gboolean has_room(const SwinQueue *queue, gboolean inferred) {
  if (queue->n_inferences == 0)
    return queue->n_frames < SWIN_QUEUE_MAX_AHEAD;
  return queue->n_frames < 2 * queue->max_inferences &&
         !(inferred && queue->n_inferences >= queue->max_inferences);
}

/* ---- Flow --------------------------------------------------------------------------------- */

guint swin_queue_purge(SwinQueue *queue, GstPad *keep) {
  GQueue dropped = G_QUEUE_INIT;
  SwinItem *item;
  guint n_frames;

  g_mutex_lock(&queue->lock);
  n_frames = queue->n_frames;
  while ((item = g_queue_pop_head(&queue->items)) != NULL) {
    forget_item(queue, item);
    g_queue_push_tail(&dropped, item);
  }
  g_mutex_unlock(&queue->lock);

  while ((item = g_queue_pop_head(&dropped)) != NULL) {
    if (keep != NULL && item->kind == SWIN_ITEM_EVENT &&
        GST_EVENT_IS_STICKY(GST_EVENT_CAST(item->object)) && !is_event(item, GST_EVENT_SEGMENT) &&
        !is_event(item, GST_EVENT_EOS))
      gst_pad_store_sticky_event(keep, GST_EVENT_CAST(item->object));
    swin_item_unref(item);
  }
  return n_frames;
}

gboolean swin_queue_set_flow(SwinQueue *queue, GstFlowReturn flow, guint *n_dropped) {
  GQueue dropped = G_QUEUE_INIT;
  gboolean ended;

  g_mutex_lock(&queue->lock);
  if (queue->flow != GST_FLOW_FLUSHING) {
    if (flow != GST_FLOW_EOS || !drop_until_new_segment(queue, &dropped))
      queue->flow = flow;
  }
  ended = queue->ended;
  g_cond_broadcast(&queue->changed);
  g_mutex_unlock(&queue->lock);
  *n_dropped = g_queue_get_length(&dropped);
  g_queue_clear_full(&dropped, (GDestroyNotify)swin_item_unref);
  return ended;
}

GstFlowReturn swin_queue_get_flow(SwinQueue *queue) {
  GstFlowReturn flow;

  g_mutex_lock(&queue->lock);
  flow = queue->flow;
  g_mutex_unlock(&queue->lock);
  return flow;
}

gboolean swin_queue_is_running(SwinQueue *queue) {
  return is_running(swin_queue_get_flow(queue));
}

gboolean swin_queue_relink(SwinQueue *queue) {
  gboolean relinked;

  g_mutex_lock(&queue->lock);
  relinked = queue->flow == GST_FLOW_NOT_LINKED;
  if (relinked)
    queue->flow = GST_FLOW_OK;
  g_mutex_unlock(&queue->lock);
  return relinked;
}

/* ---- In and out --------------------------------------------------------------------------- */

GstFlowReturn swin_queue_wait(SwinQueue *queue, gboolean inferred) {
  GstFlowReturn flow;

  g_mutex_lock(&queue->lock);
  while (queue->flow == GST_FLOW_OK && !has_room(queue, inferred))
    g_cond_wait(&queue->changed, &queue->lock);
  flow = queue->flow;
  g_mutex_unlock(&queue->lock);
  return flow;
}

// Sticky events describe the stream to whatever is linked later, so they are kept even where the
// peer refuses data.
static gboolean is_accepted(const SwinQueue *queue, const SwinItem *item) {
  if (queue->flow == GST_FLOW_OK)
    return TRUE;
  if (queue->flow == GST_FLOW_FLUSHING || item->kind == SWIN_ITEM_FRAME)
    return FALSE;
  if (queue->flow == GST_FLOW_EOS)
    return TRUE;
  return item->kind == SWIN_ITEM_EVENT && GST_EVENT_IS_STICKY(GST_EVENT_CAST(item->object));
}

GstFlowReturn swin_queue_push(SwinQueue *queue, SwinItem *item) {
  GstFlowReturn flow;

  g_mutex_lock(&queue->lock);
  if (begins_anew(item)) {
    queue->ended = FALSE;
    if (queue->flow == GST_FLOW_EOS)
      queue->flow = GST_FLOW_OK;
  }
  flow = queue->flow;
  if (is_accepted(queue, item)) {
    flow = GST_FLOW_OK;
    if (is_event(item, GST_EVENT_EOS))
      queue->ended = TRUE;
    if (item->kind == SWIN_ITEM_FRAME) {
      queue->n_frames++;
      queue->n_inferences += item->n_inferences;
    }
    item->queued = TRUE;
    g_queue_push_tail(&queue->items, g_steal_pointer(&item));
    g_cond_broadcast(&queue->changed);
  }
  g_mutex_unlock(&queue->lock);
  swin_item_unref(item);
  return flow;
}

gboolean swin_queue_push_query(SwinQueue *queue, GstQuery *query) {
  SwinItem *item = swin_item_new(queue, SWIN_ITEM_QUERY, query);
  gboolean answer;

  if (swin_queue_push(queue, swin_item_ref(item)) != GST_FLOW_OK) {
    swin_item_unref(item);
    return FALSE;
  }
  g_mutex_lock(&queue->lock);
  // The query is the caller's: while the task works on it the caller must not leave, stopped or
  // not.
  while (item->running || (item->queued && is_running(queue->flow)))
    g_cond_wait(&queue->changed, &queue->lock);
  if (item->queued) {
    g_queue_remove(&queue->items, item);
    forget_item(queue, item);
    swin_item_unref(item);
  }
  answer = item->answered;
  g_mutex_unlock(&queue->lock);
  swin_item_unref(item);
  return answer;
}

void swin_queue_answer_query(SwinQueue *queue, SwinItem *item, gboolean answer) {
  g_mutex_lock(&queue->lock);
  item->running = FALSE;
  item->answered = answer;
  g_cond_broadcast(&queue->changed);
  g_mutex_unlock(&queue->lock);
}

SwinItem *swin_queue_pop(SwinQueue *queue) {
  SwinItem *item = NULL;

  g_mutex_lock(&queue->lock);
  while (is_running(queue->flow) &&
         ((item = g_queue_peek_head(&queue->items)) == NULL || item->n_inferences > 0))
    g_cond_wait(&queue->changed, &queue->lock);
  if (is_running(queue->flow)) {
    g_queue_pop_head(&queue->items);
    forget_item(queue, item);
    item->running = item->kind == SWIN_ITEM_QUERY;
    g_cond_broadcast(&queue->changed);
  } else {
    item = NULL;
  }
  g_mutex_unlock(&queue->lock);
  return item;
}

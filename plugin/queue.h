// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * queue.h: what is between the element's sink pad and its source pad: frames, with or without an
 * inference under way, and serialized events and queries, in the order in which they came.
 *
 * One thread puts in (the sink pad's), one takes out (the source pad's task), the library's thread
 * completes inferences, and anyone may stop the queue. No callback and no pad is called with the
 * queue's lock held.
 */
#ifndef SWIN_PLUGIN_QUEUE_H
#define SWIN_PLUGIN_QUEUE_H

#include <gst/gst.h>

#include "look.h"

/** Most inferences under way at once with a batch size of 1 or 2; beyond, two batches. */
#define SWIN_QUEUE_MIN_INFERENCES 4

/** Frames that can be ahead of a slow sink where none of them waits for an inference. */
#define SWIN_QUEUE_MAX_AHEAD 2

typedef struct _SwinQueue SwinQueue;

typedef enum {
  SWIN_ITEM_FRAME,
  SWIN_ITEM_EVENT,
  SWIN_ITEM_QUERY,
} SwinItemKind;

/**
 * SwinItem: one thing in the queue. Reference counted, because an inference that was cancelled by a
 * flush completes after its item has left the queue.
 */
typedef struct {
  gatomicrefcount ref_count;
  SwinQueue *queue; /* owned */
  SwinItemKind kind;
  GstMiniObject *object; /* buffer or event: owned, NULL once stolen; query: its sender's */
  SwinLook *look;        /* of a frame (nullable): owned; may be read once the item is complete */

  /* Under the queue's lock. */
  guint n_inferences; /* that the item waits for */
  gboolean queued;    /* in the queue now */
  gboolean running;   /* query: in the hands of the task */
  gboolean answered;  /* query: the answer */
} SwinItem;

/**
 * swin_item_new: (transfer full): an item of @queue, which is complete.
 * @object: (transfer full) buffer or event, or (transfer none) query
 */
SwinItem *swin_item_new(SwinQueue *queue, SwinItemKind kind, gpointer object);

/**
 * swin_item_new_frame: (transfer full): likewise
 * @buffer: (transfer full)
 * @look: (transfer full) (nullable)
 */
SwinItem *swin_item_new_frame(SwinQueue *queue, GstBuffer *buffer, SwinLook *look);

SwinItem *swin_item_ref(SwinItem *item);
void swin_item_unref(SwinItem *item); /* NULL-safe */

/** swin_item_steal: (transfer full): the buffer or event, which the item gives up. */
gpointer swin_item_steal(SwinItem *item);

/** swin_item_expect: @item is not complete before swin_item_complete(). Not yet in the queue. */
void swin_item_expect(SwinItem *item, guint n_inferences);

/** swin_item_complete: all inferences of @item have ended. Any thread. */
void swin_item_complete(SwinItem *item);

SwinQueue *swin_queue_new(void);
SwinQueue *swin_queue_ref(SwinQueue *queue);
void swin_queue_unref(SwinQueue *queue); /* NULL-safe */

/**
 * swin_queue_set_max_inferences: how many may be under way at once; the frame that comes with the
 * last of them may bring more. Twice as many frames fit between the pads while one is.
 */
void swin_queue_set_max_inferences(SwinQueue *queue, guint max_inferences);

/** swin_queue_get_max_inferences: that number. */
guint swin_queue_get_max_inferences(SwinQueue *queue);

/** swin_queue_count_inferences: how many are under way, for frames that wait for them. */
guint swin_queue_count_inferences(SwinQueue *queue);

/** swin_queue_start: makes the queue take and give again, empty, after swin_queue_stop(). */
void swin_queue_start(SwinQueue *queue);

/** swin_queue_stop: wakes everyone who waits in the queue; all get %GST_FLOW_FLUSHING. */
void swin_queue_stop(SwinQueue *queue);

/**
 * swin_queue_purge: drops everything. Only while stopped.
 * @keep: (nullable): a pad on which dropped sticky events are stored, segment and EOS excepted: a
 *   flush takes the data, not the description of the stream
 *
 * Returns: how many frames were dropped.
 */
guint swin_queue_purge(SwinQueue *queue, GstPad *keep);

/**
 * swin_queue_set_flow: notes what the source pad's peer said. %GST_FLOW_EOS drops the frames up to
 * the next segment and lets events pass; whatever is worse stops the queue.
 * @n_dropped: (out): frames
 *
 * Returns: whether the stream had ended at the sink pad, so that nobody upstream is left to hear of
 *   @flow.
 */
gboolean swin_queue_set_flow(SwinQueue *queue, GstFlowReturn flow, guint *n_dropped);

/** swin_queue_get_flow: what the sink pad is to return. */
GstFlowReturn swin_queue_get_flow(SwinQueue *queue);

/** swin_queue_is_running: whether there is, or may come, something to take out. */
gboolean swin_queue_is_running(SwinQueue *queue);

/** swin_queue_relink: lets the queue give again when it stopped for want of a peer. */
gboolean swin_queue_relink(SwinQueue *queue);

/**
 * swin_queue_wait: waits until there is room for one more frame.
 * @inferred: whether the frame will wait for inferences
 */
GstFlowReturn swin_queue_wait(SwinQueue *queue, gboolean inferred);

/** swin_queue_push: appends @item (transfer full). Drops it where that does not return OK. */
GstFlowReturn swin_queue_push(SwinQueue *queue, SwinItem *item);

/** swin_queue_push_query: appends @query and waits for its answer; FALSE when stopped. */
gboolean swin_queue_push_query(SwinQueue *queue, GstQuery *query);

/** swin_queue_answer_query: gives the answer to whoever waits in swin_queue_push_query(). */
void swin_queue_answer_query(SwinQueue *queue, SwinItem *item, gboolean answer);

/** swin_queue_pop: (transfer full) (nullable): waits for a complete first item; NULL if stopped. */
SwinItem *swin_queue_pop(SwinQueue *queue);

#endif /* SWIN_PLUGIN_QUEUE_H */

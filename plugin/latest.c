// SPDX-License-Identifier: LGPL-2.1-or-later
#include "latest.h"

struct _SwinLatest {
  SwinLatestSubmit submit;
  gpointer user_data;
  GMutex lock;
  gboolean busy;     /* a frame is looked at, or somebody is about to begin with one */
  SwinLook *waiting; /* (nullable): owned */
  GQueue finished;   /* of SwinLook, owned */
  guint era;         /* results of an earlier one are of no use */
};

// A frame that is looked at.
typedef struct {
  SwinLatest *latest;
  SwinLook *look; /* owned */
  guint era;
} Turn;

SwinLatest *swin_latest_new(SwinLatestSubmit submit, gpointer user_data) {
  SwinLatest *latest = g_new0(SwinLatest, 1);

  latest->submit = submit;
  latest->user_data = user_data;
  g_mutex_init(&latest->lock);
  g_queue_init(&latest->finished);
  return latest;
}

void swin_latest_free(SwinLatest *latest) {
  if (latest == NULL)
    return;
  swin_latest_reset(latest);
  g_mutex_clear(&latest->lock);
  g_free(latest);
}

/* ---- Turns --------------------------------------------------------------------------------- */

static void end_turn(Turn *turn) {
  swin_look_unref(turn->look);
  g_free(turn);
}

// What came of it is kept for swin_latest_take().
static void keep(const Turn *turn) {
  SwinLatest *latest = turn->latest;

  g_mutex_lock(&latest->lock);
  if (turn->era == latest->era)
    g_queue_push_tail(&latest->finished, swin_look_ref(turn->look));
  g_mutex_unlock(&latest->lock);
}

static void begin_next(SwinLatest *latest);

// SwinJobFunc
static void finish(gpointer job, gpointer user_data) {
  Turn *turn = user_data;
  SwinLatest *latest = turn->latest;

  (void)job;
  keep(turn);
  end_turn(turn);
  begin_next(latest);
}

// The job holds what it needs of the frame, as long as it needs that.
static gboolean begin(Turn *turn, GError **error) {
  SwinLatest *latest = turn->latest;
  g_autoptr(SwinLook) look = swin_look_ref(turn->look);
  g_autoptr(GstBuffer) buffer = g_steal_pointer(&look->buffer);

  return latest->submit(look, buffer, finish, turn, latest->user_data, error);
}

// (transfer full) (nullable): the frame whose turn it is; without one nobody is busy any more.
static Turn *next_turn(SwinLatest *latest) {
  Turn *turn = NULL;

  g_mutex_lock(&latest->lock);
  if (latest->waiting != NULL) {
    turn = g_new(Turn, 1);
    *turn = (Turn){latest, g_steal_pointer(&latest->waiting), latest->era};
  }
  latest->busy = turn != NULL;
  g_mutex_unlock(&latest->lock);
  return turn;
}

static void begin_next(SwinLatest *latest) {
  Turn *turn;

  while ((turn = next_turn(latest)) != NULL && !begin(turn, &turn->look->error)) {
    if (turn->look->error != NULL)
      keep(turn);
    end_turn(turn);
  }
}

gboolean swin_latest_offer(SwinLatest *latest, SwinLook *look) {
  SwinLook *earlier;
  gboolean is_busy, is_skipped;

  g_mutex_lock(&latest->lock);
  earlier = latest->waiting;
  latest->waiting = look;
  is_busy = latest->busy;
  latest->busy = TRUE;
  g_mutex_unlock(&latest->lock);
  is_skipped = earlier != NULL;
  swin_look_unref(earlier);
  if (!is_busy)
    begin_next(latest);
  return is_skipped;
}

/* ---- What came of them --------------------------------------------------------------------- */

SwinLook *swin_latest_take(SwinLatest *latest, guint stream, guint64 number) {
  SwinLook *look;

  g_mutex_lock(&latest->lock);
  look = g_queue_peek_head(&latest->finished);
  if (look != NULL && look->position.stream <= stream && look->position.number <= number)
    g_queue_pop_head(&latest->finished);
  else
    look = NULL;
  g_mutex_unlock(&latest->lock);
  return look;
}

gboolean swin_latest_withdraw(SwinLatest *latest) {
  SwinLook *waiting;

  g_mutex_lock(&latest->lock);
  waiting = g_steal_pointer(&latest->waiting);
  g_mutex_unlock(&latest->lock);
  swin_look_unref(waiting);
  return waiting != NULL;
}

gboolean swin_latest_reset(SwinLatest *latest) {
  GQueue finished;

  g_mutex_lock(&latest->lock);
  latest->era++;
  finished = latest->finished;
  g_queue_init(&latest->finished);
  g_mutex_unlock(&latest->lock);
  g_queue_clear_full(&finished, (GDestroyNotify)swin_look_unref);
  return swin_latest_withdraw(latest);
}

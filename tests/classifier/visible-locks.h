// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * visible-locks.h: forced into each file of a program that runs under the thread sanitizer: GLib's
 * locks become those of POSIX. GLib is not compiled for the sanitizer and makes its locks out of
 * futexes: where it orders two accesses, the sanitizer sees a race. What is declared in terms of
 * GMutex and GCond has another layout here than in a library that was built without this.
 */
#ifndef SWIN_TESTS_CLASSIFIER_VISIBLE_LOCKS_H
#define SWIN_TESTS_CLASSIFIER_VISIBLE_LOCKS_H

/* For pthread_cond_clockwait(). */
#define _GNU_SOURCE

#include <errno.h>
#include <glib.h>
#include <pthread.h>
#include <time.h>

/* G_LOCK() and the like are made of these. Where all bytes are 0, glibc's locks are ready. */
#define GMutex pthread_mutex_t
#define GCond pthread_cond_t

#define g_mutex_init(mutex) pthread_mutex_init(mutex, NULL)
#define g_mutex_clear(mutex) pthread_mutex_destroy(mutex)
#define g_mutex_lock(mutex) pthread_mutex_lock(mutex)
#define g_mutex_unlock(mutex) pthread_mutex_unlock(mutex)

#define g_cond_init(cond) pthread_cond_init(cond, NULL)
#define g_cond_clear(cond) pthread_cond_destroy(cond)
#define g_cond_wait(cond, mutex) pthread_cond_wait(cond, mutex)
#define g_cond_signal(cond) pthread_cond_signal(cond)
#define g_cond_broadcast(cond) pthread_cond_broadcast(cond)
#define g_cond_wait_until visible_cond_wait_until

/* @end: monotonic microseconds */
static inline gboolean visible_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex,
                                               gint64 end) {
  const struct timespec time = {.tv_sec = (time_t)(end / G_USEC_PER_SEC),
                                .tv_nsec = (long)(end % G_USEC_PER_SEC * 1000)};
  return pthread_cond_clockwait(cond, mutex, CLOCK_MONOTONIC, &time) != ETIMEDOUT;
}

/* These are functions of GLib, and these macros of it are not. */
#undef g_atomic_ref_count_init
#undef g_atomic_ref_count_inc
#undef g_atomic_ref_count_dec
#define g_atomic_ref_count_init(count) g_atomic_int_set(count, 1)
#define g_atomic_ref_count_inc(count) g_atomic_int_inc(count)
#define g_atomic_ref_count_dec(count) g_atomic_int_dec_and_test(count)

#endif /* SWIN_TESTS_CLASSIFIER_VISIBLE_LOCKS_H */

// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * run-cases.h: the main function of a test program made with check.
 */
#ifndef SWIN_TESTS_RUN_CASES_H
#define SWIN_TESTS_RUN_CASES_H

#include <check.h>
#include <stdlib.h>

/**
 * run_suite: runs a suite and frees it.
 * @fork: CK_NOFORK where the tests share a device, so that its shaders are compiled once;
 *   CK_FORK_GETENV leaves it to the environment
 *
 * Returns: the exit status for main().
 */
static inline int run_suite(Suite *suite, enum fork_status fork) {
  SRunner *runner = srunner_create(suite);
  srunner_set_fork_status(runner, fork);
  srunner_run_all(runner, CK_ENV);
  const int n_failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/** run_cases: the same for a suite of one test case, each test in a process of its own. */
static inline int run_cases(const char *name, TCase *cases) {
  Suite *suite = suite_create(name);
  suite_add_tcase(suite, cases);
  return run_suite(suite, CK_FORK_GETENV);
}

#endif /* SWIN_TESTS_RUN_CASES_H */

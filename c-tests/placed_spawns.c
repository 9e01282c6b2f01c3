/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Makes a program one that could start others without fork(). */
#include <spawn.h>

extern int (*const placed_spawns)(pid_t *, const char *, const posix_spawn_file_actions_t *,
				  const posix_spawnattr_t *, char *const *, char *const *);
int (*const placed_spawns)(pid_t *, const char *, const posix_spawn_file_actions_t *,
			   const posix_spawnattr_t *, char *const *, char *const *) = posix_spawn;

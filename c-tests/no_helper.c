/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Mounts by the helper, which is missing, and says what comes of it.
 *
 *   no_helper MNT [options]
 */
#define FUSE_USE_VERSION 312
#define _GNU_SOURCE
#include <fuse_lowlevel.h>

#include "no_helper.h"

static const struct fuse_lowlevel_ops operations;

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc - 1, argv + 1);
	int before = descriptors();
	struct fuse_session *se = fuse_session_new(&args, &operations, sizeof(operations), NULL);

	if (!se)
		return 1;
	printf("mount: %d\n", fuse_session_mount(se, argv[1]));
	fuse_session_unmount(se);
	fuse_session_destroy(se);
	fuse_opt_free_args(&args);
	say_what_is_left(before);
	return 0;
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* As ../no_helper.c. */
#include <fuse.h>

#include "../no_helper.h"

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc - 1, argv + 1);
	int before = descriptors();

	printf("mount: %s\n", fuse_mount(argv[1], &args) ? "a channel" : "NULL");
	fuse_opt_free_args(&args);
	say_what_is_left(before);
	return 0;
}

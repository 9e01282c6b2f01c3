/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What a mount that failed has left in this process. The same for libfuse 3
 * (no_helper.c) and libfuse 2 (fuse2/no_helper2.c).
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>

static int descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	if (!dir)
		return -1;
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void say_what_is_left(int descriptors_before)
{
	printf("descriptors left: %d\n", descriptors() - descriptors_before);
	printf("children left: %s\n", waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD ? "none" : "some");
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* libfusemod_ferrotest.so, for fs_api.c: a module that hides a file and counts. */
#define _GNU_SOURCE
#define FUSE_USE_VERSION 314

#include <fuse.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct counter {
	struct fuse_fs *next;
	char *hide;
	int calls;
};

static struct counter *counter(void)
{
	struct counter *c = fuse_get_context()->private_data;

	c->calls++;
	return c;
}

static int mod_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
	struct counter *c = counter();
	int res;

	if (c->hide && !strcmp(path, c->hide))
		return -ENOENT;
	res = fuse_fs_getattr(c->next, path, st, fi);
	st->st_nlink += 100;
	return res;
}

static int mod_unlink(const char *path)
{
	return fuse_fs_unlink(counter()->next, path);
}

static void *mod_init(struct fuse_conn_info *conn, struct fuse_config *cfg)
{
	struct counter *c = counter();

	fuse_fs_init(c->next, conn, cfg);
	printf("module init\n");
	return c;
}

static void mod_destroy(void *data)
{
	struct counter *c = data;

	fuse_fs_destroy(c->next);
	printf("module destroy after %d calls\n", c->calls);
	free(c->hide);
	free(c);
}

static const struct fuse_operations ops = {
	.getattr = mod_getattr,
	.unlink = mod_unlink,
	.init = mod_init,
	.destroy = mod_destroy,
};

static const struct fuse_opt options[] = {
	FUSE_OPT_KEY("-h", 1),
	{ "hide=%s", offsetof(struct counter, hide), 0 },
	FUSE_OPT_END
};

static int help(void *data, const char *arg, int key, struct fuse_args *out)
{
	(void)data;
	(void)arg;
	(void)out;
	if (key != 1)
		return 1;
	printf("    -o hide=PATH           a file that is not there\n");
	return -1;
}

static struct fuse_fs *mod_new(struct fuse_args *args, struct fuse_fs *next[])
{
	struct counter *c = calloc(1, sizeof(*c));

	if (!c || fuse_opt_parse(args, c, options, help) == -1) {
		free(c);
		return NULL;
	}
	if (!next[0] || next[1])
		printf("WRONG list of file systems\n");
	c->next = next[0];
	return fuse_fs_new(&ops, sizeof(ops), c);
}

FUSE_REGISTER_MODULE(ferrotest, mod_new);

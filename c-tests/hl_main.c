/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A path-based filesystem that shows another directory: every operation of the
 * high-level API, by fuse_main(). With -o trace it says what it was called with.
 */
#include "hl.h"

#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>

struct hl hl;

static const struct fuse_opt options[] = {
	{ "source=%s", offsetof(struct hl, source), 0 },
	{ "plain", offsetof(struct hl, plain), 1 },
	{ "trace", offsetof(struct hl, trace), 1 },
	{ "dirplus", offsetof(struct hl, dirplus), 1 },
	{ "offsets", offsetof(struct hl, offsets), 1 },
	{ "nullpath", offsetof(struct hl, nullpath), 1 },
	{ "no_use_ino", offsetof(struct hl, no_use_ino), 1 },
	{ "writeback", offsetof(struct hl, writeback), 1 },
	{ "direct_io", offsetof(struct hl, direct_io), 1 },
	{ "interruptible", offsetof(struct hl, intr), 1 },
	{ "lock", offsetof(struct hl, lock), 1 },
	{ "remove_open", offsetof(struct hl, hard_remove), 1 },
	{ "no_create", offsetof(struct hl, no_create), 1 },
	{ "conn", offsetof(struct hl, conn), 1 },
	FUSE_OPT_END
};

/* A name that is never answered for. */
static void wait_if_stuck(const char *path)
{
	size_t len = strlen(path);

	while (len >= 6 && strcmp(path + len - 6, ".stuck") == 0)
		pause();
}

const char *hl_real(const char *path)
{
	static _Thread_local char buf[3][2 * PATH_MAX];
	static _Thread_local int turn;
	char *out = buf[turn++ % 3];

	wait_if_stuck(path);
	/* A path may become longer than the system takes: then it says so itself. */
	snprintf(out, sizeof(buf[0]), "%s%s", hl.source, path);
	return out;
}

long hl_trace(long result, const char *fmt, ...)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct fuse_context *ctx = fuse_get_context();
	va_list ap;

	if (!hl.trace)
		return result;
	pthread_mutex_lock(&lock);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf(" [%u:%u %s%s umask %03o] = %ld\n", ctx->uid, ctx->gid,
	       ctx->pid ? "pid" : "no pid", ctx->private_data == &hl ? "" : " WRONG DATA",
	       ctx->umask, result);
	fflush(stdout);
	pthread_mutex_unlock(&lock);
	return result;
}

static void *hl_init(struct fuse_conn_info *conn, struct fuse_config *cfg)
{
	struct fuse_context *ctx = fuse_get_context();

	cfg->use_ino = !hl.no_use_ino;
	cfg->nullpath_ok = hl.nullpath;
	cfg->direct_io = hl.direct_io;
	cfg->hard_remove = hl.hard_remove;
	if (hl.intr) {
		signal(SIGUSR1, SIG_IGN);
		cfg->intr = 1;
	}
	if (hl.writeback)
		conn->want |= FUSE_CAP_WRITEBACK_CACHE;
	if (hl.conn)
		printf("proto %u max_write %u max_read %u readahead %u background %u %u gran %u "
		       "want %x capable %x\n"
		       "timeouts %g %g %g %d %g remember %d modes %d %o uid %d %u gid %d %u "
		       "cache %d %d flush %d intr %d %d\n",
		       conn->proto_major, conn->max_write, conn->max_read, conn->max_readahead,
		       conn->max_background, conn->congestion_threshold, conn->time_gran,
		       conn->want, conn->capable & 0x3ffffff, cfg->entry_timeout,
		       cfg->negative_timeout, cfg->attr_timeout, cfg->ac_attr_timeout_set,
		       cfg->ac_attr_timeout, cfg->remember, cfg->set_mode, cfg->umask, cfg->set_uid,
		       cfg->uid, cfg->set_gid, cfg->gid, cfg->kernel_cache, cfg->auto_cache,
		       cfg->no_rofd_flush, cfg->intr, cfg->intr_signal);
	if (!ctx || !ctx->fuse || !fuse_get_session(ctx->fuse) || ctx->private_data != NULL)
		printf("WRONG CONTEXT in init\n");
	printf("mounted\n");
	fflush(stdout);
	return &hl;
}

static void hl_destroy(void *data)
{
	struct fuse_context *ctx = fuse_get_context();

	printf("destroy %s\n", data == &hl && ctx && ctx->private_data == &hl ? "right" : "WRONG");
	fflush(stdout);
}

int main(int argc, char *argv[])
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct fuse_operations ops = { .init = hl_init, .destroy = hl_destroy };
	int ret;

	umask(0);
	if (fuse_opt_parse(&args, &hl, options, NULL) == -1)
		return 20;
	if (!hl.source)
		hl.source = strdup("/");
	hl_ops_names(&ops);
	hl_ops_files(&ops);
	ret = fuse_main(args.argc, args.argv, &ops, NULL);
	fuse_opt_free_args(&args);
	free(hl.source);
	printf("fuse_main=%d\n", ret);
	return ret;
}

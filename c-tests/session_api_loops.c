/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The loops over custom I/O: a kernel thread asks, the loop serves and ends. */
#include "session_api.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum ending { HANG_UP, EXIT_IN_HANDLER, BAD_INIT };

struct scene {
	struct fake *k;
	enum ending ending;
	bool threads;
};

static enum ending current;
static struct fuse_session *session;

static void o_access(fuse_req_t req, fuse_ino_t ino, int mask)
{
	(void)ino;
	(void)mask;
	if (current == EXIT_IN_HANDLER)
		fuse_session_exit(session);
	fuse_reply_err(req, ENOTDIR);
}

static void o_init(void *userdata, struct fuse_conn_info *c)
{
	(void)userdata;
	if (current == BAD_INIT)
		c->want |= FUSE_CAP_WRITEBACK_CACHE; /* which is not offered */
}

static void o_destroy(void *userdata)
{
	(void)userdata;
	say("  destroy\n");
}

static bool wait_reply(struct fake *k, int *error)
{
	struct {
		struct fuse_out_header h;
		char rest[1024];
	} r;
	ssize_t n = recv(k->fd, &r, sizeof(r), 0);

	if (n < (ssize_t)sizeof(r.h))
		return false;
	*error = r.h.error;
	return true;
}

static void *kernel(void *arg)
{
	static struct message m;
	struct scene *s = arg;
	int error = 1;

	m.len = 0;
	put_init(&m, 7, 31, 0, 0);
	fake_send(s->k, FUSE_INIT, 0, &m);
	if (!wait_reply(s->k, &error))
		check(false, "INIT in a loop is answered");
	say("  init: %d\n", error);
	if (s->ending != BAD_INIT) {
		for (int i = 0; i < (s->ending == EXIT_IN_HANDLER ? 1 : 100); i++) {
			m.len = 0;
			put(&m, "uu", 0u, 0u);
			fake_send(s->k, FUSE_ACCESS, 1, &m);
			if (!wait_reply(s->k, &error) || error != -ENOTDIR)
				check(false, "a request in a loop is answered");
		}
		say("  served\n");
	}
	if (s->ending == HANG_UP) {
		close(s->k->fd);
		s->k->fd = -1;
	}
	return NULL;
}

static void scene(const char *what, enum ending ending, bool threads)
{
	static const struct fuse_lowlevel_ops ops = {
		.init = o_init, .access = o_access, .destroy = o_destroy,
	};
	struct scene s = { .k = fake_new(&ops, NULL), .ending = ending, .threads = threads };
	pthread_t thread;
	int res;

	say("%s, %s\n", what, threads ? "with threads" : "single");
	current = ending;
	session = s.k->se;
	pthread_create(&thread, NULL, kernel, &s);
	if (threads) {
		struct fuse_loop_config *cfg = fuse_loop_cfg_create();

		res = fuse_session_loop_mt(s.k->se, cfg);
		fuse_loop_cfg_destroy(cfg);
	} else {
		res = fuse_session_loop(s.k->se);
	}
	pthread_join(thread, NULL);
	say("  loop: %d\n", res);
	fake_free(s.k);
}

void test_loops(void)
{
	say("== loops\n");
	capture_log(LOG_OFF); /* worded by each library */
	for (int threads = 0; threads < 2; threads++) {
		scene("hang up", HANG_UP, threads);
		scene("exit in a handler", EXIT_IN_HANDLER, threads);
		scene("bad init", BAD_INIT, threads);
	}
	capture_log(LOG_LEVEL);
}

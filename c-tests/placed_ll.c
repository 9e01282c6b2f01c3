/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Handlers that make threads and children, for a look at how these are scheduled.
 *
 *   placed_ll MNT
 *
 * A read of "/fork" answers with the id of a child, one of "/thread" with that of a
 * thread; both live for two seconds and do nothing. With PLACED_HOLDS set, nobody ever
 * hears of a name that /proc has, nor of the filesystem itself (STATFS). With
 * PLACED_STAYS, a handler of GETATTR returns so many microseconds after its answer,
 * and for "/thread" a thousand times as many.
 */
#define FUSE_USE_VERSION 312
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fuse_lowlevel.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"

enum { FORK_INO = 2, THREAD_INO };

struct started {
	sem_t known;
	pid_t id;
};

static int holds;
static useconds_t stays;

static struct stat attributes(fuse_ino_t ino)
{
	struct stat st = { .st_ino = ino, .st_nlink = 1, .st_mode = S_IFDIR | 0755 };

	if (ino != FUSE_ROOT_ID) {
		st.st_mode = S_IFREG | 0444;
		st.st_size = 64;
	}
	return st;
}

static void do_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param e = { .attr_timeout = 0, .entry_timeout = 1.0 };

	if (holds && (isdigit((unsigned char)name[0]) || strcmp(name, "self") == 0))
		return;
	if (parent == FUSE_ROOT_ID && strcmp(name, "fork") == 0)
		e.ino = FORK_INO;
	else if (parent == FUSE_ROOT_ID && strcmp(name, "thread") == 0)
		e.ino = THREAD_INO;
	if (!e.ino) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	e.attr = attributes(e.ino);
	fuse_reply_entry(req, &e);
}

static void do_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st = attributes(ino);

	(void)fi;
	fuse_reply_attr(req, &st, 0);
	if (stays)
		usleep(ino == THREAD_INO ? stays * 1000 : stays);
}

static void do_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct statvfs st = { .f_namemax = 255 };

	(void)ino;
	if (!holds)
		fuse_reply_statfs(req, &st);
}

static void do_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	fi->direct_io = 1;
	fuse_reply_open(req, fi);
}

static void *live(void *arg)
{
	struct started *s = arg;

	s->id = gettid();
	sem_post(&s->known);
	sleep(2);
	return NULL;
}

static pid_t start_thread(void)
{
	struct started s;
	pthread_t thread;

	sem_init(&s.known, 0, 0);
	if (pthread_create(&thread, NULL, live, &s) != 0)
		return -1;
	pthread_detach(thread);
	while (sem_wait(&s.known) != 0)
		;
	sem_destroy(&s.known);
	return s.id;
}

static pid_t start_child(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		sleep(2);
		_exit(0);
	}
	return pid;
}

static void do_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	char answer[32];
	int len;

	(void)size;
	(void)fi;
	if (off > 0) {
		fuse_reply_buf(req, NULL, 0);
		return;
	}
	len = snprintf(answer, sizeof(answer), "%d\n",
		       (int)(ino == FORK_INO ? start_child() : start_thread()));
	fuse_reply_buf(req, answer, (size_t)len);
}

static const struct fuse_lowlevel_ops operations = {
	.lookup = do_lookup, .getattr = do_getattr, .open = do_open, .read = do_read,
	.statfs = do_statfs,
};

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct daemon_spec spec = { .ops = &operations, .ops_size = sizeof(operations) };

	holds = getenv("PLACED_HOLDS") != NULL;
	if (getenv("PLACED_STAYS"))
		stays = (useconds_t)atoi(getenv("PLACED_STAYS"));
	signal(SIGCHLD, SIG_IGN);
	return daemon_run(&args, &spec);
}

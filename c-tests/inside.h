/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A filesystem that notifies the kernel from inside its handlers, where the
 * kernel holds what the notification needs; the same source for libfuse 3
 * (inside_ll.c) and libfuse 2 (fuse2/inside2.c), which include it.
 *
 * "f", "g", "e", "r", "w"  files of one page; "d" a directory with a file "x"
 *
 * Looking up one of these names sends the notification, then answers ENOENT:
 *   do-inval, do-expire, do-delete   about f, e, g in the same directory
 *   do-subdir                        about d/x
 *   do-thread                        by another thread, as long as the look-up waits for it
 *   do-forty                         forty times, f and x in turn
 *   do-fork                          by a forked child
 *   do-dirty                         inval_inode of w, whose dirty pages have to be written
 * Reading "r" past its cached part invalidates and stores into the pages that
 * the read fills. Each prints what it got: "NAME RESULT"; each look-up of a
 * file "lookup NAME".
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROOT = FUSE_ROOT_ID, F, G, E, R, W, D, X, END };
#define PAGE 4096

static const char *const names[END] = { [F] = "f", "g", "e", "r", "w", "d", "x" };
static char data[END][PAGE], stored[PAGE];

/* The two libraries name the session in different ways. */
static int inval_inode(fuse_ino_t ino);
static int inval_entry(fuse_ino_t parent, const char *name);
static int expire_entry(fuse_ino_t parent, const char *name);
static int delete_entry(fuse_ino_t parent, fuse_ino_t child, const char *name);
static int store(fuse_ino_t ino, char *page);

static void say(const char *what, int result)
{
	printf("%s %d\n", what, result);
	fflush(stdout);
}

static void attr(fuse_ino_t ino, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_ino = ino;
	st->st_mode = ino == ROOT || ino == D ? S_IFDIR | 0755 : S_IFREG | 0644;
	st->st_nlink = 1;
	st->st_size = ino == ROOT || ino == D ? 0 : PAGE;
}

static void *inval_f(void *arg)
{
	(void)arg;
	say("do-thread", inval_entry(ROOT, "f"));
	return NULL;
}

static void act(const char *name)
{
	pthread_t thread;
	pid_t child;
	int bad = 0;

	if (strcmp(name, "do-inval") == 0)
		say(name, inval_entry(ROOT, "f"));
	if (strcmp(name, "do-expire") == 0)
		say(name, expire_entry(ROOT, "e"));
	if (strcmp(name, "do-delete") == 0)
		say(name, delete_entry(ROOT, G, "g"));
	if (strcmp(name, "do-subdir") == 0)
		say(name, inval_entry(D, "x"));
	if (strcmp(name, "do-dirty") == 0)
		say(name, inval_inode(W));
	if (strcmp(name, "do-thread") == 0 && pthread_create(&thread, NULL, inval_f, NULL) == 0)
		pthread_join(thread, NULL);
	if (strcmp(name, "do-forty") == 0) {
		for (int i = 0; i < 40; i++) {
			int r = i % 2 ? inval_entry(D, "x") : inval_entry(ROOT, "f");

			/* Not cached any more is no failure. */
			bad += r != 0 && r != -ENOENT;
		}
		say(name, bad);
	}
	if (strcmp(name, "do-fork") == 0) {
		child = fork();
		if (child == 0) {
			inval_entry(ROOT, "f");
			/* In pieces: where the machine stood still, its thread gets time before the end. */
			for (int i = 0; i < 30; i++)
				usleep(100000);
			_exit(0);
		}
		say(name, child < 0);
	}
}

static void ll_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param e;

	memset(&e, 0, sizeof(e));
	for (fuse_ino_t ino = F; ino < END; ino++) {
		if (strcmp(name, names[ino]) != 0 || parent != (ino == X ? D : ROOT))
			continue;
		printf("lookup %s\n", name);
		fflush(stdout);
		e.ino = ino;
		e.attr_timeout = e.entry_timeout = 1000;
		attr(ino, &e.attr);
		fuse_reply_entry(req, &e);
		return;
	}
	act(name);
	fuse_reply_err(req, ENOENT);
}

static void ll_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;

	(void)fi;
	attr(ino, &st);
	fuse_reply_attr(req, &st, 1000);
}

static void ll_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	fi->keep_cache = 1;
	fuse_reply_open(req, fi);
}

static void ll_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	(void)fi;
	if (ino == R) {
		say("read-inval", inval_inode(R));
		say("read-store", store(R, stored));
	}
	if (off >= PAGE)
		size = 0;
	else if (size > (size_t)(PAGE - off))
		size = (size_t)(PAGE - off);
	fuse_reply_buf(req, data[ino] + (size ? off : 0), size);
}

static void ll_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off,
		     struct fuse_file_info *fi)
{
	(void)fi;
	if (off + (off_t)size <= PAGE)
		memcpy(data[ino] + off, buf, size);
	printf("written %s\n", names[ino]);
	fflush(stdout);
	fuse_reply_write(req, size);
}

static void ll_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	(void)mode;
	(void)name;
	say("mkdir", inval_entry(parent, "f"));
	fuse_reply_err(req, EPERM);
}

static void ll_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int valid,
		       struct fuse_file_info *fi)
{
	(void)st;
	(void)valid;
	ll_getattr(req, ino, fi);
}

static void prepare_data(void)
{
	for (int i = 0; i < END; i++)
		memset(data[i], 'a' + i, PAGE);
	memset(stored, 'S', PAGE);
}

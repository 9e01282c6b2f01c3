/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A filesystem with one file, its clients, and how a loop of whatever kind serves them: for
 * two_loops.c and fuse2/two_loops2.c.
 *
 * If `threads` is set, each loop has a thread of its own, which ends with it.
 *
 * In each loop, clients on every processor look at the root, one writes the file and reads it,
 * and the last thing one of them asks for ends the loop. While a single thread serves, handlers
 * may not overlap.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOKS 60
#define CLIENTS_EACH 2

#define FILE_INO 2
#define SIZE (300 * 1024)

static struct fuse_session *session;
static atomic_int running, most;
static int threads;
static char content[SIZE];

static void begin(void)
{
	int now = atomic_fetch_add(&running, 1) + 1;
	int seen = atomic_load(&most);

	while (now > seen && !atomic_compare_exchange_weak(&most, &seen, now))
		;
	usleep(100);
}

static void do_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st = { .st_ino = ino, .st_mode = S_IFDIR | 0755, .st_nlink = 2 };

	(void)fi;
	if (ino == FILE_INO) {
		st.st_mode = S_IFREG | 0644;
		st.st_size = SIZE;
	}
	begin();
	atomic_fetch_sub(&running, 1);
	fuse_reply_attr(req, &st, 0);
}

static void do_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	(void)parent;
	begin();
	atomic_fetch_sub(&running, 1);
	if (strcmp(name, "file") == 0) {
		struct fuse_entry_param entry = { .ino = FILE_INO };

		entry.attr.st_mode = S_IFREG | 0644;
		entry.attr.st_size = SIZE;
		fuse_reply_entry(req, &entry);
		return;
	}
	if (strcmp(name, "exit") == 0)
		fuse_session_exit(session);
	fuse_reply_err(req, ENOENT);
}

static void do_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	fi->direct_io = 1; /* so that each read and write comes as it was asked for */
	fuse_reply_open(req, fi);
}

static void do_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	(void)ino, (void)fi;
	begin();
	atomic_fetch_sub(&running, 1);
	if (off > SIZE)
		off = SIZE;
	fuse_reply_buf(req, content + off, size < SIZE - (size_t)off ? size : SIZE - (size_t)off);
}

static void do_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off,
		     struct fuse_file_info *fi)
{
	(void)ino, (void)fi;
	begin();
	atomic_fetch_sub(&running, 1);
	if (off + size > SIZE) {
		fuse_reply_err(req, ENOSPC);
		return;
	}
	memcpy(content + off, buf, size);
	fuse_reply_write(req, size);
}

static const struct fuse_lowlevel_ops ops = {
	.getattr = do_getattr, .lookup = do_lookup, .open = do_open, .read = do_read, .write = do_write,
};

/* One client: 0 if all went well. */
static int look(const char *mountpoint, int processor)
{
	cpu_set_t set;
	struct stat st;

	CPU_ZERO(&set);
	CPU_SET(processor, &set);
	sched_setaffinity(0, sizeof(set), &set); /* where it may not run it runs elsewhere */
	for (int i = 0; i < LOOKS; i++)
		if (stat(mountpoint, &st) != 0) {
			perror("a look");
			return 1;
		}
	return 0;
}

/* Writes the file in pieces of different sizes and reads it back. */
static int use_file(const char *mountpoint, int seed)
{
	static char written[SIZE], got[SIZE];
	char path[4096];
	size_t done = 0, size = 1;
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/file", mountpoint);
	fd = open(path, O_RDWR);
	if (fd < 0) {
		perror("opening the file");
		return 1;
	}
	for (size_t i = 0; i < SIZE; i++)
		written[i] = (char)((i * 31 + i / 4096 + (size_t)seed) & 0xff);
	for (; done < SIZE && n >= 0; done += (size_t)n, size = size * 3 + 1)
		n = pwrite(fd, written + done, size < SIZE - done ? size : SIZE - done, (off_t)done);
	for (done = 0; done < SIZE && n > 0; done += (size_t)n)
		n = pread(fd, got + done, SIZE - done, (off_t)done);
	if (n <= 0)
		perror("using the file");
	close(fd);
	return n <= 0 || memcmp(written, got, SIZE) != 0;
}

/* All clients of one loop, in processes of their own. */
static int clients(const char *mountpoint, int round)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	char path[4096];
	struct stat st;
	int failed = 0, status;

	for (int i = 0; i < processors * CLIENTS_EACH; i++)
		if (fork() == 0)
			_exit(look(mountpoint, (int)(i % processors)));
	failed |= use_file(mountpoint, round);
	while (wait(&status) > 0)
		failed |= status;
	snprintf(path, sizeof(path), "%s/exit", mountpoint);
	if (stat(path, &st) == 0 || errno != ENOENT) {
		perror("the end");
		return 1;
	}
	return failed != 0;
}

struct run {
	int (*loop)(void);
	int result;
};

static void *run(void *arg)
{
	struct run *it = arg;

	it->result = it->loop();
	return NULL;
}

/* Runs the loop here, or in a thread of its own. */
static int run_loop(int (*loop)(void))
{
	struct run it = { .loop = loop };
	pthread_t thread;

	if (!threads)
		return loop();
	if (pthread_create(&thread, NULL, run, &it) != 0)
		return -1;
	pthread_join(thread, NULL);
	return it.result;
}

/* Has `loop` serve them until its end; 0 if all went well. `single`: by one thread. */
static int serve(const char *mountpoint, const char *name, int (*loop)(void), int single)
{
	static int round;
	int status = 0, result, overlap;
	pid_t child;

	round++;
	atomic_store(&most, 0);
	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(clients(mountpoint, round));
	result = run_loop(loop);
	fuse_session_reset(session);
	waitpid(child, &status, 0);
	overlap = single && atomic_load(&most) != 1;
	printf("%s: loop=%d clients=%s%s\n", name, result, status == 0 ? "served" : "FAILED",
	       overlap ? " FAIL handlers overlap" : "");
	return result != 0 || status != 0 || overlap;
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Reads that cross the end of a file, answered with fuse_reply_data, while the
 * daemon forks without pause.
 *
 * A reply whose length is known only after the data was spliced gets its header
 * written last, through memory that already is in the pipe. If that memory is
 * private, a fork between the two steps gives the pipe the old copy: a wrong
 * length, which the kernel refuses, and a reader that waits for ever.
 *
 * The first process reads and checks, the second is the daemon. A watchdog ends
 * a reader that makes no progress by aborting this one connection.
 *
 * Usage: eof_fork MOUNTPOINT [reads=N] [library options]
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define FUSE_USE_VERSION 312

#include <fuse_lowlevel.h>
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/wait.h>

#define FILE_INO 2
#define FILE_SIZE 150001
#define READ_SIZE 131072
#define READERS 2
#define STALL_SECONDS 10

struct source {
	int fd;
	int no_splice; /* -o no_splice: to prove the test on a library with the fault */
};

static const struct fuse_opt options[] = {
	{ "no_splice", offsetof(struct source, no_splice), 1 },
	FUSE_OPT_END
};

/* ---- the daemon */

static atomic_ulong forks;

static void *fork_without_pause(void *arg)
{
	(void)arg;
	for (;;) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		if (pid > 0) {
			waitpid(pid, NULL, 0);
			atomic_fetch_add(&forks, 1);
		}
	}
	return NULL;
}

static void do_init(void *userdata, struct fuse_conn_info *conn)
{
	const unsigned int splice = FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE;
	const struct source *s = userdata;
	pthread_t thread;

	if (s->no_splice)
		conn->want &= ~splice;
	else
		conn->want |= conn->capable & splice;
	if (pthread_create(&thread, NULL, fork_without_pause, NULL) == 0)
		pthread_detach(thread);
}

static void attr(fuse_ino_t ino, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_ino = ino;
	st->st_mode = ino == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0444;
	st->st_nlink = 1;
	st->st_size = ino == FUSE_ROOT_ID ? 0 : FILE_SIZE;
}

static void do_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param e = { .ino = FILE_INO, .attr_timeout = 60, .entry_timeout = 60 };

	if (parent != FUSE_ROOT_ID || strcmp(name, "file") != 0) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	attr(FILE_INO, &e.attr);
	fuse_reply_entry(req, &e);
}

static void do_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;

	(void)fi;
	attr(ino, &st);
	fuse_reply_attr(req, &st, 60);
}

static void do_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	fi->direct_io = 1; /* each read(2) is one request, of the size asked for */
	fuse_reply_open(req, fi);
}

static void do_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	const struct source *s = fuse_req_userdata(req);
	struct fuse_bufvec buf = FUSE_BUFVEC_INIT(size);

	(void)ino;
	(void)fi;
	buf.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
	buf.buf[0].fd = s->fd;
	buf.buf[0].pos = off;
	fuse_reply_data(req, &buf, 0);
}

static void do_destroy(void *userdata)
{
	(void)userdata;
	daemon_say("forks=%s\n", atomic_load(&forks) > 0 ? "some" : "none");
}

static const struct fuse_lowlevel_ops operations = {
	.init = do_init, .destroy = do_destroy, .lookup = do_lookup,
	.getattr = do_getattr, .open = do_open, .read = do_read,
};

static int daemon_main(int argc, char **argv, struct source *s)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct daemon_spec spec = {
		.ops = &operations, .ops_size = sizeof(operations), .userdata = s,
	};

	/* Parsing gives a vector of its own, which may grow. */
	if (fuse_opt_parse(&args, s, options, NULL) != 0 || fuse_opt_add_arg(&args, "-f") != 0)
		return 1;
	return daemon_run(&args, &spec);
}

/* ---- the reader */

struct reader {
	pthread_t thread;
	const char *path;
	unsigned long first, count;
	bool failed;
};

static atomic_ulong reads_done;
static atomic_bool stop_watching;

static unsigned char byte_at(size_t i)
{
	return (unsigned char)((i * 2654435761u) >> 13);
}

static bool check_read(int fd, unsigned char *buf, unsigned long i)
{
	off_t off = (off_t)(FILE_SIZE - 1 - (i * 4099) % (READ_SIZE - 1));
	size_t want = (size_t)(FILE_SIZE - off);
	ssize_t n = pread(fd, buf, READ_SIZE, off);

	if (n != (ssize_t)want) {
		printf("FAIL read %lu at %lld: %zd instead of %zu, %s\n", i, (long long)off, n,
		       want, n < 0 ? strerror(errno) : "no error");
		return false;
	}
	for (size_t b = 0; b < want; b++) {
		if (buf[b] != byte_at((size_t)off + b)) {
			printf("FAIL read %lu at %lld: wrong byte %zu\n", i, (long long)off, b);
			return false;
		}
	}
	return true;
}

static void *reader_main(void *arg)
{
	struct reader *r = arg;
	int fd = open(r->path, O_RDONLY);
	unsigned char *buf = malloc(READ_SIZE);

	r->failed = fd < 0 || !buf;
	if (r->failed)
		printf("FAIL open %s: %s\n", r->path, strerror(errno));
	for (unsigned long i = r->first; !r->failed && i < r->first + r->count; i++) {
		r->failed = !check_read(fd, buf, i);
		atomic_fetch_add(&reads_done, 1);
	}
	free(buf);
	if (fd >= 0)
		close(fd);
	return NULL;
}

static void *watchdog_main(void *arg)
{
	const char *mountpoint = arg;
	unsigned long last = (unsigned long)-1;
	int quiet = 0;

	while (!atomic_load(&stop_watching)) {
		unsigned long now = atomic_load(&reads_done);

		quiet = now == last ? quiet + 1 : 0;
		last = now;
		if (quiet > STALL_SECONDS * 10) {
			printf("FAIL hang after %lu reads\n", now);
			fflush(stdout);
			/* Forced: aborts the connection of this mount, and no other. */
			umount2(mountpoint, MNT_FORCE);
			umount2(mountpoint, MNT_DETACH);
			quiet = 0;
		}
		usleep(100000);
	}
	return NULL;
}

static bool wait_for_mount(const char *path)
{
	struct stat st;

	for (int i = 0; i < 1000; i++) {
		if (stat(path, &st) == 0)
			return true;
		usleep(10000);
	}
	printf("FAIL no mount within 10 s\n");
	return false;
}

static bool run_readers(const char *mountpoint, const char *path, unsigned long reads)
{
	struct reader reader[READERS];
	pthread_t watchdog;
	bool ok = true;

	pthread_create(&watchdog, NULL, watchdog_main, (void *)mountpoint);
	for (int i = 0; i < READERS; i++) {
		reader[i] = (struct reader){
			.path = path, .first = reads / READERS * (unsigned long)i,
			.count = reads / READERS,
		};
		pthread_create(&reader[i].thread, NULL, reader_main, &reader[i]);
	}
	for (int i = 0; i < READERS; i++) {
		pthread_join(reader[i].thread, NULL);
		ok = ok && !reader[i].failed;
	}
	atomic_store(&stop_watching, true);
	pthread_join(watchdog, NULL);
	return ok;
}

static int make_source(const char *mountpoint)
{
	unsigned char *data = malloc(FILE_SIZE);
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s.source.XXXXXX", mountpoint);
	fd = mkstemp(path);
	if (fd < 0 || !data)
		return -1;
	unlink(path);
	for (size_t i = 0; i < FILE_SIZE; i++)
		data[i] = byte_at(i);
	if (write(fd, data, FILE_SIZE) != FILE_SIZE)
		return -1;
	free(data);
	return fd;
}

int main(int argc, char **argv)
{
	unsigned long reads = 100000;
	struct source source = { .fd = -1 };
	char path[4096];
	int status = 0;
	bool ok = false;
	pid_t daemon;

	if (argc < 2) {
		fprintf(stderr, "usage: eof_fork MOUNTPOINT [reads=N] [library options]\n");
		return 2;
	}
	if (argc > 2 && sscanf(argv[2], "reads=%lu", &reads) == 1) {
		memmove(&argv[2], &argv[3], (size_t)(argc - 2) * sizeof(*argv));
		argc--;
	}
	source.fd = make_source(argv[1]);
	if (source.fd < 0) {
		perror("eof_fork: source");
		return 2;
	}
	snprintf(path, sizeof(path), "%s/file", argv[1]);
	daemon = fork();
	if (daemon == 0)
		return daemon_main(argc, argv, &source);
	if (wait_for_mount(path))
		ok = run_readers(argv[1], path, reads);
	umount2(argv[1], MNT_DETACH);
	if (daemon < 0 || waitpid(daemon, &status, 0) != daemon || status != 0) {
		printf("FAIL daemon status %#x\n", (unsigned int)status);
		ok = false;
	}
	printf("reads=%lu %s\n", reads, ok ? "ok" : "failed");
	return ok ? 0 : 1;
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Forked children that use the library, while the daemon's other threads do; the
 * same source for libfuse 3 (children_ll.c) and libfuse 2 (fuse2/children2.c).
 *
 * A child has whatever lock another thread held when it was forked. Looking up
 * "fork-N" has a child made: by the handler's thread, or by one that handlers give
 * their requests to. It answers, or tries to (by io_uring only the parent can), and
 * notifies; then the parent answers too, to whom the kernel says ENOENT if the child
 * was heard. Each third child only notifies. Meanwhile names are looked up, a file is
 * read, notifications are sent, and the clients are interrupted without pause.
 *
 * The first process is the clients, the second the daemon. A child that hangs is
 * ended by its alarm and counted.
 *
 * Usage: PROGRAM MOUNTPOINT children=N [-s] [library options]
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROOT = FUSE_ROOT_ID, DATA, NAME };
#define NAMES 16
#define DATA_SIZE 65536
#define CHILD_LIMIT 20
#define STALL_SECONDS 60

/* The two libraries name the session in different ways. */
static int inval_inode(fuse_ino_t ino);
static int inval_entry(fuse_ino_t parent, const char *name);
static int retrieve(fuse_ino_t ino);
/* Mounts and serves. */
static int serve(int argc, char **argv);

static int source = -1;
static atomic_int made, heard, hung, failed, unforked;
static atomic_bool over;

/* ---- children */

/* Stays until the thread that its notifications are left to has had time for them. */
static void be_a_child(fuse_req_t req, int answered)
{
	char name[16];
	char said = 'n';

	alarm(CHILD_LIMIT);
	if (req) {
		/* By io_uring the answer is refused, and the library says so. */
		freopen("/dev/null", "w", stderr);
		said = fuse_reply_err(req, EACCES) == 0 ? 'y' : 'n';
		if (write(answered, &said, 1) != 1)
			_exit(1);
	}
	for (int i = 0; i < NAMES; i++) {
		snprintf(name, sizeof(name), "name-%d", i);
		inval_entry(ROOT, name);
		inval_inode(NAME + (fuse_ino_t)i);
	}
	retrieve(DATA);
	for (int i = 0; i < 3; i++)
		usleep(50000);
	_exit(0);
}

/* The parent's part; children are reaped by a thread, as one may wait in the kernel for what handlers hold. */
static void fork_for(fuse_req_t req, bool answers)
{
	int answered[2];
	char said = 0;
	pid_t child;

	if (pipe2(answered, O_CLOEXEC) != 0) {
		atomic_fetch_add(&unforked, 1);
		fuse_reply_err(req, EMFILE);
		return;
	}
	child = fork();
	if (child == 0) {
		close(answered[0]);
		be_a_child(answers ? req : NULL, answered[1]);
	}
	close(answered[1]);
	if (child < 0)
		atomic_fetch_add(&unforked, 1);
	else
		atomic_fetch_add(&made, 1);
	if (child > 0 && answers && read(answered[0], &said, 1) != 1)
		atomic_fetch_add(&failed, 1);
	if (said == 'y')
		atomic_fetch_add(&heard, 1);
	close(answered[0]);
	/* Refused by the kernel if the child was heard. */
	fuse_reply_err(req, EACCES);
}

static void *reap(void *arg)
{
	int status;

	(void)arg;
	while (!atomic_load(&over)) {
		if (waitpid(-1, &status, 0) < 0)
			usleep(1000);
		else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
			atomic_fetch_add(&hung, 1);
		else if (status != 0)
			atomic_fetch_add(&failed, 1);
	}
	return NULL;
}

/* ---- other threads of the daemon's */

static pthread_mutex_t given_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t given_more = PTHREAD_COND_INITIALIZER;
static fuse_req_t given[64];
static unsigned int given_count;

static void give(fuse_req_t req)
{
	pthread_mutex_lock(&given_lock);
	given[given_count++ % 64] = req; /* there are fewer clients */
	pthread_cond_signal(&given_more);
	pthread_mutex_unlock(&given_lock);
}

static void *fork_for_handlers(void *arg)
{
	unsigned int done = 0;

	(void)arg;
	for (;;) {
		fuse_req_t req;

		pthread_mutex_lock(&given_lock);
		while (done == given_count)
			pthread_cond_wait(&given_more, &given_lock);
		req = given[done++ % 64];
		pthread_mutex_unlock(&given_lock);
		fork_for(req, true);
	}
	return NULL;
}

/* Those of children, too, are answered here: the count is a little low. */
static atomic_int retrieving;

static void *notify(void *arg)
{
	char name[16];

	(void)arg;
	for (int i = 0; !atomic_load(&over); i = (i + 1) % NAMES) {
		snprintf(name, sizeof(name), "name-%d", i);
		inval_entry(ROOT, name);
		inval_inode(NAME + (fuse_ino_t)i);
		/* Not faster than they are served. */
		if (atomic_load(&retrieving) < 4 && retrieve(DATA) == 0)
			atomic_fetch_add(&retrieving, 1);
		usleep(50);
	}
	return NULL;
}

static void start_threads(void)
{
	void *(*const lives[])(void *) = { reap, fork_for_handlers, notify, notify };
	pthread_t thread;

	for (size_t i = 0; i < sizeof(lives) / sizeof(*lives); i++) {
		if (pthread_create(&thread, NULL, lives[i], NULL) == 0)
			pthread_detach(thread);
	}
}

/* ---- the filesystem */

static void attr(fuse_ino_t ino, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_ino = ino;
	st->st_mode = ino == ROOT ? S_IFDIR | 0755 : S_IFREG | 0444;
	st->st_nlink = 1;
	st->st_size = ino == DATA ? DATA_SIZE : 0;
}

static void ll_init(void *userdata, struct fuse_conn_info *conn)
{
	(void)userdata;
	(void)conn;
	start_threads();
}

static void ll_destroy(void *userdata)
{
	(void)userdata;
	atomic_store(&over, true);
	printf("made=%d heard=%s hung=%d failed=%d unforked=%d\n", atomic_load(&made),
	       atomic_load(&heard) ? "some" : "none", atomic_load(&hung), atomic_load(&failed),
	       atomic_load(&unforked));
	fflush(stdout);
}

static void ll_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param e;
	int number;

	memset(&e, 0, sizeof(e));
	if (parent == ROOT && strcmp(name, "data") == 0)
		e.ino = DATA;
	else if (parent == ROOT && sscanf(name, "name-%d", &number) == 1 && number < NAMES)
		e.ino = NAME + (fuse_ino_t)number;
	if (e.ino) {
		attr(e.ino, &e.attr);
		fuse_reply_entry(req, &e);
	} else if (sscanf(name, "fork-%d", &number) == 1 && number % 3 == 0) {
		give(req);
	} else if (sscanf(name, "fork-%d", &number) == 1) {
		fork_for(req, number % 3 == 1);
	} else {
		fuse_reply_err(req, ENOENT);
	}
}

static void ll_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;

	(void)fi;
	attr(ino, &st);
	fuse_reply_attr(req, &st, 0);
}

static void ll_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	fi->direct_io = 1;
	fuse_reply_open(req, fi);
}

static void ll_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	struct fuse_bufvec buf = FUSE_BUFVEC_INIT(size);

	(void)ino;
	(void)fi;
	buf.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
	buf.buf[0].fd = source;
	buf.buf[0].pos = off;
	fuse_reply_data(req, &buf, 0);
}

static void ll_retrieve_reply(fuse_req_t req, void *cookie, fuse_ino_t ino, off_t offset,
			      struct fuse_bufvec *bufv)
{
	(void)cookie;
	(void)ino;
	(void)offset;
	(void)bufv;
	atomic_fetch_sub(&retrieving, 1);
	fuse_reply_none(req);
}

static const struct fuse_lowlevel_ops operations = {
	.init = ll_init, .destroy = ll_destroy, .lookup = ll_lookup, .getattr = ll_getattr,
	.open = ll_open, .read = ll_read, .retrieve_reply = ll_retrieve_reply,
};

/* ---- the clients */

#define FORKERS 6

static const char *mountpoint;
static int wanted = 300;
static atomic_int asked, answered_well, bad_reads;
static atomic_ulong steps;

static void *ask_for_children(void *arg)
{
	char path[4096];
	struct stat st;

	(void)arg;
	for (int i = atomic_fetch_add(&asked, 1); i < wanted; i = atomic_fetch_add(&asked, 1)) {
		snprintf(path, sizeof(path), "%s/fork-%d", mountpoint, i);
		if (stat(path, &st) != 0 && errno == EACCES)
			atomic_fetch_add(&answered_well, 1);
		atomic_fetch_add(&steps, 1);
	}
	return NULL;
}

static void *look_up(void *arg)
{
	char path[4096];
	struct stat st;

	(void)arg;
	for (int i = 0; !atomic_load(&over); i = (i + 1) % NAMES) {
		snprintf(path, sizeof(path), "%s/name-%d", mountpoint, i);
		stat(path, &st);
	}
	return NULL;
}

static void *read_data(void *arg)
{
	char path[4096], *data = malloc(DATA_SIZE);
	int fd;

	(void)arg;
	snprintf(path, sizeof(path), "%s/data", mountpoint);
	fd = open(path, O_RDONLY);
	while (!atomic_load(&over)) {
		ssize_t n = pread(fd, data, DATA_SIZE, 0);

		if (n != DATA_SIZE && errno != EINTR)
			atomic_fetch_add(&bad_reads, 1);
	}
	close(fd);
	free(data);
	return NULL;
}

static void *watch(void *arg)
{
	unsigned long last = 0;
	int quiet = 0;

	(void)arg;
	while (!atomic_load(&over)) {
		unsigned long now = atomic_load(&steps);

		quiet = now == last ? quiet + 1 : 0;
		last = now;
		if (quiet > STALL_SECONDS * 10) {
			printf("FAIL hang after %lu answers\n", now);
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

static void interrupted(int number)
{
	(void)number;
}

/* Signals for these processes' threads, so that requests are interrupted. */
static void interrupt_without_pause(bool on)
{
	struct itimerval every = { { 0, on ? 700 : 0 }, { 0, on ? 700 : 0 } };
	struct sigaction act = { .sa_handler = interrupted };

	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
}

static void be_the_clients(void)
{
	void *(*const lives[])(void *) = { look_up, look_up, read_data, watch };
	pthread_t forkers[FORKERS], others[4];

	interrupt_without_pause(true);
	for (int i = 0; i < FORKERS; i++)
		pthread_create(&forkers[i], NULL, ask_for_children, NULL);
	for (int i = 0; i < 4; i++)
		pthread_create(&others[i], NULL, lives[i], NULL);
	for (int i = 0; i < FORKERS; i++)
		pthread_join(forkers[i], NULL);
	interrupt_without_pause(false);
	/* The last children end. */
	sleep(1);
	atomic_store(&over, true);
	for (int i = 0; i < 4; i++)
		pthread_join(others[i], NULL);
	/* A look-up that was interrupted before it was read may end with EINTR. */
	printf("answered=%s bad reads=%d\n", atomic_load(&answered_well) > wanted / 2 ? "most" : "few",
	       atomic_load(&bad_reads));
}

static bool is_mounted(const char *path)
{
	struct stat st;

	for (int i = 0; i < 2000; i++) {
		if (stat(path, &st) == 0)
			return true;
		usleep(10000);
	}
	printf("FAIL no mount within 20 s\n");
	return false;
}

int main(int argc, char **argv)
{
	static const char zeros[DATA_SIZE];
	char path[4096];
	int status = 0;
	pid_t daemon;

	if (argc < 3 || sscanf(argv[2], "children=%d", &wanted) != 1) {
		fprintf(stderr, "usage: %s MOUNTPOINT children=N [options]\n", argv[0]);
		return 2;
	}
	mountpoint = argv[1];
	memmove(&argv[2], &argv[3], (size_t)(argc - 2) * sizeof(*argv));
	argc--;
	snprintf(path, sizeof(path), "%s.data.XXXXXX", mountpoint);
	source = mkstemp(path);
	if (source < 0 || unlink(path) != 0 || write(source, zeros, DATA_SIZE) != DATA_SIZE)
		return 2;
	daemon = fork();
	if (daemon == 0) {
		status = serve(argc, argv);
		return status ? status : atomic_load(&hung) + atomic_load(&failed) > 0;
	}
	snprintf(path, sizeof(path), "%s/data", mountpoint);
	if (is_mounted(path))
		be_the_clients();
	fflush(stdout);
	umount2(mountpoint, MNT_DETACH);
	if (daemon < 0 || waitpid(daemon, &status, 0) != daemon || status != 0) {
		printf("FAIL daemon status %#x\n", (unsigned int)status);
		return 1;
	}
	return atomic_load(&bad_reads) > 0 || atomic_load(&answered_well) <= wanted / 2;
}

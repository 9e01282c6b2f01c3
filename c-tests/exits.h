/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A filesystem that gets into trouble when it is told to, and must end all the same; the
 * same source for libfuse 3 (exits_ll.c) and libfuse 2 (fuse2/exits2.c), which include it.
 *
 * data  256 KiB behind a descriptor
 * slow  its read takes 300 ms
 *
 * Looking up one of these names does what it says; do.NAME answers ENOENT afterwards:
 *   do.close       closes the session's descriptor
 *   do.null        puts /dev/null into its place
 *   do.no-threads  from now on no thread or process can be made
 *   do.no-files    nor a descriptor
 *   do.no-ring     from now on io_uring_enter(2) fails
 *   do.no-memory   nor may the address space grow
 *   do.child       a forked child stays for a minute, with all that it has inherited
 *   do.forks       children are forked without pause; every other one executes something
 *   do.exec        a child says which descriptors it has got through exec: "inherited NAME"
 *   do.become      the daemon itself becomes that other program
 *   do.signals     each thread gets a signal every millisecond, whose handler has no SA_RESTART
 *   do.exit        asks for the end of the session, in the handler
 *   do.exit-soon   does so by another thread, 50 ms later
 *   do.term        raises SIGTERM
 * FT_BEFORE has such names, without "do." and separated by commas: what is done before the mount; FT_INIT one that
 * is done by init.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROOT = FUSE_ROOT_ID, DATA, SLOW, END };
#define SIZE (256 * 1024)

static const char *const names[END] = { [DATA] = "data", "slow" };
static const char *program;
static int data_fd;

/* The two libraries name the session in different ways. */
static int session_fd(void);
static void session_exit(void);

static void prepare_data(const char *argv0)
{
	static unsigned char bytes[SIZE];

	program = argv0;
	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = (unsigned char)(i * 7 + i / 4096);
	data_fd = memfd_create("data", MFD_CLOEXEC);
	if (write(data_fd, bytes, SIZE) != SIZE)
		abort();
}

/* Has the kernel refuse two system calls to all threads. */
static void refuse(unsigned int one, unsigned int other, unsigned int error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, one, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, other, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(code) / sizeof(*code), code };

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) != 0)
		perror("seccomp");
}

static void no_files(void)
{
	struct rlimit limit;
	int lowest = dup(0);

	close(lowest);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = (rlim_t)lowest;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		perror("RLIMIT_NOFILE");
}

/* A stack that can't grow ends any process: this one has grown before. */
static void grow_stack(void)
{
	volatile char room[1 << 20];

	for (size_t i = 0; i < sizeof(room); i += 4096)
		room[i] = 0;
}

static void no_memory(void)
{
	struct rlimit limit;
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	grow_stack();
	/* A thread of the library's may be starting; if there is no memory for it then, the C library ends the
	 * process. */
	usleep(100000);
	if (!f || fscanf(f, "%lu", &pages) != 1)
		perror("statm");
	fclose(f);
	getrlimit(RLIMIT_AS, &limit);
	limit.rlim_cur = pages * (unsigned long)sysconf(_SC_PAGESIZE);
	if (setrlimit(RLIMIT_AS, &limit) != 0)
		perror("RLIMIT_AS");
}

/* Says which descriptors it was executed with, but for the standard ones; that is all it does. */
static int inherited(void)
{
	DIR *dir = opendir("/proc/self/fd");
	char target[256];
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		ssize_t len = readlinkat(dirfd(dir), d->d_name, target, sizeof(target) - 1);

		if (len > 0 && atoi(d->d_name) > 2 && atoi(d->d_name) != dirfd(dir))
			printf("inherited %.*s\n", (int)len, target);
	}
	puts("executed");
	return 0;
}

static void fork_one(int execute)
{
	pid_t child = fork();

	if (child == 0) {
		if (execute)
			execl("/bin/true", "true", (char *)NULL);
		_exit(0);
	}
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
}

static void *fork_on(void *arg)
{
	(void)arg;
	for (unsigned i = 0;; i++)
		fork_one(i % 2);
	return NULL;
}

static void on_signal(int sig)
{
	(void)sig;
}

static void *signal_on(void *arg)
{
	for (;;) {
		DIR *dir = opendir("/proc/self/task");
		struct dirent *d;

		while (dir && (d = readdir(dir)))
			if (atoi(d->d_name) > 0)
				syscall(SYS_tgkill, getpid(), atoi(d->d_name), SIGUSR2);
		if (dir)
			closedir(dir);
		usleep(1000);
	}
	return arg;
}

static void *exit_soon(void *arg)
{
	usleep(50000);
	session_exit();
	return arg;
}

static void in_thread(void *(*run)(void *))
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, NULL) == 0)
		pthread_detach(thread);
}

static void act(const char *what)
{
	struct sigaction action = { .sa_handler = on_signal };

	if (strcmp(what, "close") == 0) {
		close(session_fd());
	} else if (strcmp(what, "null") == 0) {
		dup2(open("/dev/null", O_RDWR | O_CLOEXEC), session_fd());
	} else if (strcmp(what, "no-threads") == 0) {
		refuse(SYS_clone, SYS_clone3, EAGAIN);
	} else if (strcmp(what, "no-ring") == 0) {
		refuse(SYS_io_uring_enter, SYS_io_uring_enter, ENOMEM);
	} else if (strcmp(what, "no-files") == 0) {
		no_files();
	} else if (strcmp(what, "no-memory") == 0) {
		no_memory();
	} else if (strcmp(what, "child") == 0) {
		if (fork() == 0) {
			sleep(60);
			_exit(0);
		}
	} else if (strcmp(what, "forks") == 0) {
		in_thread(fork_on);
	} else if (strcmp(what, "exec") == 0) {
		if (fork() == 0) {
			execl(program, program, "--inherited", (char *)NULL);
			_exit(1);
		}
	} else if (strcmp(what, "become") == 0) {
		execl(program, program, "--inherited", (char *)NULL);
	} else if (strcmp(what, "signals") == 0) {
		sigaction(SIGUSR2, &action, NULL);
		in_thread(signal_on);
	} else if (strcmp(what, "exit") == 0) {
		session_exit();
	} else if (strcmp(what, "exit-soon") == 0) {
		in_thread(exit_soon);
	} else if (strcmp(what, "term") == 0) {
		kill(getpid(), SIGTERM);
	}
}

static void act_before(void)
{
	const char *set = getenv("FT_BEFORE");
	char *list = strdup(set ? set : ""), *what;

	for (what = strtok(list, ","); what; what = strtok(NULL, ","))
		act(what);
	free(list);
}

static void attr(fuse_ino_t ino, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_ino = ino;
	st->st_mode = ino == ROOT ? S_IFDIR | 0755 : S_IFREG | 0444;
	st->st_nlink = 1;
	st->st_size = ino == ROOT ? 0 : SIZE;
}

static void ll_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param e;

	memset(&e, 0, sizeof(e));
	for (e.ino = DATA; e.ino < END; e.ino++)
		if (parent == ROOT && strcmp(name, names[e.ino]) == 0)
			break;
	if (e.ino < END) {
		attr(e.ino, &e.attr);
		fuse_reply_entry(req, &e);
		return;
	}
	if (strncmp(name, "do.", 3) == 0)
		act(name + 3);
	fuse_reply_err(req, ENOENT);
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

	(void)fi;
	if (ino == SLOW)
		usleep(300000);
	buf.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
	buf.buf[0].fd = data_fd;
	buf.buf[0].pos = off;
	fuse_reply_data(req, &buf, 0);
}

static void ll_init(void *userdata, struct fuse_conn_info *conn)
{
	const char *what = getenv("FT_INIT");

	(void)userdata;
	(void)conn;
	if (what)
		act(what);
}

static void ll_destroy(void *userdata)
{
	(void)userdata;
	puts("destroy");
	fflush(stdout);
}

static const struct fuse_lowlevel_ops operations = {
	.lookup = ll_lookup,
	.getattr = ll_getattr,
	.open = ll_open,
	.read = ll_read,
	.init = ll_init,
	.destroy = ll_destroy,
};

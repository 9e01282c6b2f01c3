/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Making a session: options, messages, custom I/O, loop configuration, versions. */
#include "session_api.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static void try_options(const char *first, const char *second)
{
	char *argv[] = { "prog", (char *)first, (char *)second, NULL };
	struct fuse_args args = FUSE_ARGS_INIT(second ? 3 : first ? 2 : 1, argv);
	struct fuse_session *se;

	say("new %s %s\n", first ? first : "", second ? second : "");
	se = fuse_session_new(&args, &printing_ops, sizeof(printing_ops), NULL);
	say("  %s, argc left %d\n", se ? "session" : "NULL", args.argc);
	if (se) {
		say("  fd=%d exited=%d\n", fuse_session_fd(se), fuse_session_exited(se));
		fuse_session_exit(se);
		say("  after exit: exited=%d\n", fuse_session_exited(se) != 0);
		fuse_session_reset(se);
		say("  after reset: exited=%d\n", fuse_session_exited(se));
		fuse_session_destroy(se);
	}
	fuse_opt_free_args(&args);
}

static void op_sizes(void)
{
	static struct {
		struct fuse_lowlevel_ops ops;
		void *beyond[40];
	} big;
	struct fuse_session *se;
	char *argv[] = { "prog", NULL };
	/* The size as of this header, twice it, and one that ends after lookup. */
	const size_t sizes[] = { sizeof(big), offsetof(struct fuse_lowlevel_ops, forget) };

	for (size_t i = 0; i < 2; i++) {
		struct fuse_args args = FUSE_ARGS_INIT(1, argv);

		big.ops = printing_ops;
		say("new with %s operations\n", i == 0 ? "too many" : "few");
		se = fuse_session_new(&args, &big.ops, sizes[i], NULL);
		say("  %s\n", se ? "session" : "NULL");
		if (se)
			fuse_session_destroy(se);
		fuse_opt_free_args(&args);
	}
}

static ssize_t no_read(int fd, void *buf, size_t len, void *userdata)
{
	(void)fd;
	(void)buf;
	(void)len;
	(void)userdata;
	errno = EIO;
	return -1;
}

static ssize_t no_writev(int fd, struct iovec *iov, int count, void *userdata)
{
	(void)fd;
	(void)iov;
	(void)count;
	(void)userdata;
	errno = EIO;
	return -1;
}

static void custom_io_errors(void)
{
	const struct fuse_custom_io whole = { .read = no_read, .writev = no_writev };
	const struct fuse_custom_io no_w = { .read = no_read };
	const struct fuse_custom_io no_r = { .writev = no_writev };
	char *argv[] = { "prog", NULL };
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);
	struct fuse_session *se = fuse_session_new(&args, &printing_ops, sizeof(printing_ops), NULL);
	int fd = dup(0);

	say("custom_io fd -1: %d\n", fuse_session_custom_io(se, &whole, -1));
	say("custom_io no writev: %d\n", fuse_session_custom_io(se, &no_w, fd));
	say("custom_io no read: %d\n", fuse_session_custom_io(se, &no_r, fd));
	say("custom_io NULL: %d\n", fuse_session_custom_io(se, NULL, fd));
	say("custom_io: %d\n", fuse_session_custom_io(se, &whole, fd));
	say("fd is the given one: %d\n", fuse_session_fd(se) == fd);
	fuse_session_destroy(se);
	say("destroy closes it: %d\n", dup2(fd, fd) < 0);
	fuse_opt_free_args(&args);
}

static void loop_configuration(void)
{
	struct fuse_loop_config *cfg = fuse_loop_cfg_create();

	say("loop config: %s\n", cfg ? "made" : "NULL");
	fuse_loop_cfg_set_clone_fd(cfg, 1);
	fuse_loop_cfg_set_max_threads(cfg, 3);
	fuse_loop_cfg_set_idle_threads(cfg, 100000);
	say("idle threads 100001\n");
	fuse_loop_cfg_set_idle_threads(cfg, 100001);
	fuse_loop_cfg_destroy(cfg);
	fuse_loop_cfg_destroy(NULL);
}

static void versions(void)
{
	/* Their values belong to each library; their form does not. */
	check(fuse_version() >= 310 && fuse_version() < 400, "fuse_version() is major*100+minor");
	check(strncmp(fuse_pkgversion(), "3.", 2) == 0, "fuse_pkgversion() begins with 3.");
	say("versions checked\n");
}

void test_new(void)
{
	say("== session\n");
	capture_log(LOG_TEXT);
	try_options(NULL, NULL);
	try_options("-o", "nonsense");
	try_options("-o", "allow_other,nonsense=5,other");
	try_options("--nonsense", NULL);
	try_options("-Z", NULL);
	try_options("stray", NULL);
	try_options("-o", "allow_other,default_permissions,fsname=x,subtype=y,max_read=65536,ro");
	try_options("-o", "allow_root");
	try_options("-o", "rw,nosuid,nodev,noexec,noatime,dirsync,sync,suid,dev,exec");
	try_options("-o", "fd=3");
	try_options("-o", "max_write=4096");
	try_options("-o", "clone_fd");
	op_sizes();
	capture_log(LOG_LEVEL);
	custom_io_errors();
	loop_configuration();
	versions();
}

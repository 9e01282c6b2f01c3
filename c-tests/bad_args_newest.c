/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What came with libfuse 3.15 to 3.19; what `bad_args.h` says. Built with those headers alone. */
#include "bad_args.h"

#if FUSE_MINOR_VERSION > 14
#include <fuse_daemonize.h>
#include <fuse_service.h>
#include <cuse_lowlevel.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Those of the high-level API, whose header does not go with a FUSE_USE_VERSION of one digit less. */
struct fuse;
struct fuse_service;
struct fuse_fs;
struct fuse_operations;
struct fuse *_fuse_new_30(struct fuse_args *args, const struct fuse_operations *op, size_t op_size,
			  struct libfuse_version *version, void *private_data);
struct fuse *_fuse_new_31(struct fuse_args *args, const struct fuse_operations *op, size_t op_size,
			  struct libfuse_version *version, void *private_data);
int fuse_main_real_versioned(int argc, char *argv[], const struct fuse_operations *op, size_t op_size,
			     struct libfuse_version *version, void *private_data);
int fuse_service_main_real_versioned(struct fuse_service *service, struct fuse_args *args,
				     const struct fuse_operations *op, size_t op_size,
				     struct libfuse_version *version, void *private_data);
int fuse_fs_statx(struct fuse_fs *fs, const char *path, int flags, int mask, struct statx *stx,
		  struct fuse_file_info *fi);
struct fuse_session *cuse_lowlevel_new_319(struct fuse_args *args, const struct cuse_info *ci,
					   const struct cuse_lowlevel_ops *clop, size_t size,
					   const struct libfuse_version *version, void *userdata);
struct fuse_session *cuse_lowlevel_setup_319(int argc, char *argv[], const struct cuse_info *ci,
					     const struct cuse_lowlevel_ops *clop, size_t size,
					     const struct libfuse_version *version, int *multithreaded,
					     void *userdata);
int cuse_lowlevel_main_319(int argc, char *argv[], const struct cuse_info *ci,
			   const struct cuse_lowlevel_ops *clop, size_t size,
			   const struct libfuse_version *version, void *userdata);
int fuse_session_custom_io_30(struct fuse_session *se, const struct fuse_custom_io *io, int fd);
int fuse_service_accept(struct fuse_service **sfp);
void fuse_service_release(struct fuse_service *sf);
void fuse_service_destroy(struct fuse_service **sfp);
bool fuse_service_can_allow_other(const struct fuse_service *sf);
bool fuse_service_can_fuseblk(const struct fuse_service *sf);
int fuse_service_append_args(struct fuse_service *sf, struct fuse_args *args);
char *fuse_service_cmdline(int argc, const char *const *argv, struct fuse_args *args);
int fuse_service_parse_cmdline_opts(struct fuse_args *args, struct fuse_cmdline_opts *opts);
int fuse_service_request_file(const struct fuse_service *sf, const char *path, int open_flags,
			      mode_t create_mode, unsigned int request_flags);
int fuse_service_request_blockdev(const struct fuse_service *sf, const char *path, int open_flags,
				  mode_t create_mode, unsigned int request_flags, unsigned int block_size);
int fuse_service_receive_file(const struct fuse_service *sf, const char *path, int *fdp);
int fuse_service_finish_file_requests(const struct fuse_service *sf);
void fuse_service_expect_mount_format(struct fuse_service *sf, mode_t expected_fmt);
int fuse_service_session_mount(struct fuse_service *sf, struct fuse_session *se, mode_t expected_fmt,
			       struct fuse_cmdline_opts *opts);
int fuse_service_send_goodbye(struct fuse_service *sf, int exitcode);
int fuse_service_exit(int ret);

/* No request, and never one. */
#define GARBAGE ((fuse_req_t)(uintptr_t)0x123456789)

static void bad_versions(void)
{
	char *words[] = { "program", NULL };
	struct fuse_args args = FUSE_ARGS_INIT(1, words);
	struct libfuse_version version = { .major = 3, .minor = 19 };
	const struct fuse_lowlevel_ops ops = { 0 };
	const struct cuse_lowlevel_ops device_ops = { 0 };
	const struct cuse_info info = { 0 };
	const struct fuse_operations *no_op = NULL;
	int threads;

	IS_NULL(fuse_session_new_versioned(&args, &ops, sizeof(ops), NULL, NULL));
	IS_NULL(fuse_session_new_versioned(&args, NULL, 0, &version, NULL));
	IS_NULL(fuse_session_new_versioned(NULL, &ops, sizeof(ops), &version, NULL));
	IS_NULL(_fuse_new_30(NULL, no_op, 0, NULL, NULL));
	IS_NULL(_fuse_new_31(NULL, no_op, 0, NULL, NULL));
	IS_NULL(_fuse_new_31(NULL, no_op, 0, &version, NULL));
	IS_NULL(cuse_lowlevel_new_319(NULL, NULL, NULL, 0, NULL, NULL));
	IS_NULL(cuse_lowlevel_new_319(&args, &info, NULL, 0, NULL, NULL));
	IS_NULL(cuse_lowlevel_new_319(&args, NULL, &device_ops, sizeof(device_ops), &version, NULL));
	IS_NULL(cuse_lowlevel_setup_319(1, words, NULL, &device_ops, sizeof(device_ops), NULL, &threads, NULL));
	IS_NULL(cuse_lowlevel_setup_319(1, NULL, &info, &device_ops, sizeof(device_ops), NULL, &threads, NULL));
	IS(1, cuse_lowlevel_main_319(1, words, NULL, NULL, 0, NULL, NULL));
	IS(1, fuse_service_main_real_versioned(NULL, NULL, no_op, 0, NULL, NULL));
	IS(-1, fuse_fs_statx(NULL, NULL, 0, 0, NULL, NULL) < 0 ? -1 : 0);
}

static void bad_features(void)
{
	struct fuse_conn_info conn = { .proto_major = 7 };

	IS(false, fuse_set_feature_flag(NULL, 1));
	IS(false, fuse_set_feature_flag(&conn, UINT64_MAX));
	IS(false, fuse_get_feature_flag(NULL, 1));
	IS(false, fuse_get_feature_flag(&conn, UINT64_MAX));
	RETURNS(fuse_unset_feature_flag(NULL, 1));
	RETURNS(fuse_unset_feature_flag(&conn, UINT64_MAX));
	IS(false, fuse_set_conn_flag(NULL, 1));
	IS(false, fuse_set_conn_flag(&conn, UINT64_MAX));
	IS(-EINVAL, fuse_convert_to_conn_want_ext(NULL));
}

static void bad_session(struct fuse_session *se)
{
	const struct fuse_custom_io io = { 0 };
	fuse_ino_t nodes[2] = { 2, 3 };

	IS(-1, fuse_session_custom_io_30(NULL, &io, 0) < 0 ? -1 : 0);
	IS(-1, fuse_session_custom_io_30(se, NULL, 0) < 0 ? -1 : 0);
	IS(-EINVAL, fuse_session_custom_io_317(NULL, &io, sizeof(io), 0));
	IS(-EINVAL, fuse_session_custom_io_317(se, NULL, sizeof(io), 0));
	IS(-1, fuse_session_custom_io_317(se, &io, 0, -1) < 0 ? -1 : 0);
	IS(-1, fuse_session_custom_io_317(se, &io, SIZE_MAX, -1) < 0 ? -1 : 0);
	RETURNS(fuse_session_set_debug(NULL));
	RETURNS(fuse_session_set_sync_init(NULL, true));
	IS_NULL(fuse_session_start_teardown_watchdog(NULL, -1, NULL, NULL));
	RETURNS(fuse_session_stop_teardown_watchdog(NULL));
	IS(-1, fuse_set_fail_signal_handlers(NULL));
	IS(-EINVAL, fuse_lowlevel_notify_increment_epoch(NULL));
	IS(-EINVAL, fuse_lowlevel_notify_prune(NULL, nodes, 2));
	IS(-1, fuse_lowlevel_notify_prune(se, NULL, 2) < 0 ? -1 : 0);
}

static void no_request(fuse_req_t req)
{
	struct statx stx;
	const char *name, *value;
	uint32_t size;
	char *payload;
	size_t payload_size;

	memset(&stx, 0, sizeof(stx));
	IS(-EINVAL, fuse_reply_statx(req, 0, &stx, 1));
	IS(-EINVAL, fuse_reply_statx(req, 0, NULL, -1e300));
	IS(0, fuse_req_secctx_count(req));
	RETURNS(fuse_req_secctx_reset(req));
	IS(-1, fuse_req_secctx_next(req, &name, &value, &size) < 0 ? -1 : 0);
	IS(-1, fuse_req_secctx_next(req, NULL, NULL, NULL) < 0 ? -1 : 0);
	IS(false, fuse_req_is_uring(req));
	IS(-1, fuse_req_get_payload(req, &payload, &payload_size, NULL) < 0 ? -1 : 0);
	IS(-1, fuse_req_get_payload(req, NULL, NULL, NULL) < 0 ? -1 : 0);
	IS(0, fuse_passthrough_open(req, -1) > 0);
	IS(-1, fuse_passthrough_close(req, -1) < 0 ? -1 : 0);
}

/* Requests that are alive. */
static void o_access(fuse_req_t req, fuse_ino_t ino, int mask)
{
	int closed = open("/dev/null", O_RDONLY);

	(void)ino;
	(void)mask;
	close(closed);
	IS(0, fuse_passthrough_open(req, closed) > 0);
	IS(0, fuse_passthrough_open(req, -1) > 0);
	IS(0, fuse_passthrough_open(req, INT_MAX) > 0);
	IS(-1, fuse_passthrough_close(req, 0) < 0 ? -1 : 0);
	IS(-1, fuse_passthrough_close(req, INT_MAX) < 0 ? -1 : 0);
	IS(-1, fuse_req_secctx_next(req, NULL, NULL, NULL) < 0 ? -1 : 0);
	IS(-1, fuse_req_get_payload(req, NULL, NULL, NULL) < 0 ? -1 : 0);
	IS(-EINVAL, fuse_reply_statx(req, 0, NULL, 1));
	RETURNS(fuse_reply_err(req, 0));
}

static void bad_service(void)
{
	struct fuse_cmdline_opts opts;
	struct fuse_service *service = NULL;
	int fd;

	IS(-EINVAL, fuse_service_accept(NULL));
	IS(0, fuse_service_accept(&service));
	RETURNS(fuse_service_release(NULL));
	RETURNS(fuse_service_destroy(NULL));
	RETURNS(fuse_service_destroy(&service));
	IS(false, fuse_service_can_allow_other(NULL));
	IS(false, fuse_service_can_fuseblk(NULL));
	IS(-EINVAL, fuse_service_append_args(NULL, NULL));
	IS_NULL(fuse_service_cmdline(-1, NULL, NULL));
	IS(-1, fuse_service_parse_cmdline_opts(NULL, &opts));
	IS(-EINVAL, fuse_service_request_file(NULL, NULL, -1, 0, UINT_MAX));
	IS(-EINVAL, fuse_service_request_blockdev(NULL, NULL, -1, 0, UINT_MAX, UINT_MAX));
	IS(-EINVAL, fuse_service_receive_file(NULL, NULL, NULL));
	IS(-EINVAL, fuse_service_receive_file(NULL, "a", &fd));
	IS(-ENOENT, fd);
	IS(-EINVAL, fuse_service_finish_file_requests(NULL));
	RETURNS(fuse_service_expect_mount_format(NULL, (mode_t)-1));
	IS(-EINVAL, fuse_service_session_mount(NULL, NULL, 0, NULL));
	IS(-EINVAL, fuse_service_send_goodbye(NULL, -1));
	IS(-1, fuse_service_exit(-1));
}

/* In a process of its own, which they may end. */
static void bad_daemon(void)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		/* Neither has begun. */
		fuse_daemonize_early_success();
		fuse_daemonize_early_fail(-1);
		_exit(fuse_daemonize_early_is_active() ? 1 : 0);
	}
	IS(child, waitpid(child, &status, 0));
	IS(1, WIFEXITED(status));
	child = fork();
	if (child == 0)
		_exit(fuse_daemonize_early_start(UINT_MAX) == 0 ? 0 : 1);
	IS(child, waitpid(child, &status, 0));
	IS(1, WIFEXITED(status));
}

void bad_newest(void)
{
	static const struct fuse_lowlevel_ops ops = { .access = o_access };
	static struct message m;
	struct fake *k = fake_new(&ops, NULL);

	bad_versions();
	bad_features();
	bad_session(k->se);
	no_request(NULL);
	no_request(GARBAGE);
	fake_init(k, 31);
	m.len = 0;
	put(&m, "uu", 0u, 0u);
	fake_send(k, FUSE_ACCESS, 1, &m);
	fake_step(k);
	bad_service();
	bad_daemon();
	RETURNS(fuse_log_enable_syslog(NULL, -1, -1));
	RETURNS(fuse_log_close_syslog());
	RETURNS(fuse_log_close_syslog());
	capture_log(LOG_OFF);
	fake_free(k);
}
#else
void bad_newest(void)
{
}
#endif

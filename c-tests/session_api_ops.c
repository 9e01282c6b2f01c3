/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Operations that print what they were given and answer with fixed values. */
#include "session_api.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

static void fill_stat(struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_ino = 0x1122334455667788;
	st->st_size = 123456789012;
	st->st_blocks = 241126542;
	st->st_mode = S_IFREG | 0640;
	st->st_nlink = 3;
	st->st_uid = 1003;
	st->st_gid = 1004;
	st->st_rdev = 0x0103;
	st->st_blksize = 4096;
	st->st_atim = (struct timespec){ 1111111111, 111 };
	st->st_mtim = (struct timespec){ 1222222222, 222 };
	st->st_ctim = (struct timespec){ 1333333333, 333 };
}

static struct fuse_entry_param entry(void)
{
	struct fuse_entry_param e = {
		.ino = 77, .generation = 5, .attr_timeout = 1.5, .entry_timeout = 2.25,
	};

	fill_stat(&e.attr);
	return e;
}

static void head(const char *op, fuse_req_t req, fuse_ino_t ino)
{
	const struct fuse_ctx *c = fuse_req_ctx(req);

	say("  %s ino=%lu uid=%u gid=%u pid=%d umask=%o", op, (unsigned long)ino, c->uid, c->gid,
	    (int)c->pid, c->umask);
}

static void tail_fi(const struct fuse_file_info *fi)
{
	if (!fi)
		say(" fi=none\n");
	else
		say(" flags=%#x fh=%#llx owner=%#llx writepage=%d flush=%d flock_release=%d\n",
		    fi->flags, (unsigned long long)fi->fh, (unsigned long long)fi->lock_owner,
		    fi->writepage, fi->flush, fi->flock_release);
}

static void o_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param e = entry();

	head("lookup", req, parent);
	say(" name=%s\n", name);
	fuse_reply_entry(req, &e);
}

static void o_forget(fuse_req_t req, fuse_ino_t ino, uint64_t n)
{
	head("forget", req, ino);
	say(" n=%llu\n", (unsigned long long)n);
	fuse_reply_none(req);
}

static void o_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *f)
{
	head("forget_multi", req, 0);
	for (size_t i = 0; i < count; i++)
		say(" %lu*%llu", (unsigned long)f[i].ino, (unsigned long long)f[i].nlookup);
	say("\n");
	fuse_reply_none(req);
}

static void o_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;

	fill_stat(&st);
	head("getattr", req, ino);
	say(" fh=%s\n", fi ? "given" : "none");
	fuse_reply_attr(req, &st, 0.000000001);
}

static void o_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *a, int valid,
		      struct fuse_file_info *fi)
{
	struct stat st;

	fill_stat(&st);
	head("setattr", req, ino);
	say(" valid=%#x mode=%o uid=%u gid=%u size=%lld atime=%lld.%09ld mtime=%lld.%09ld fh=%#llx\n",
	    (unsigned int)valid, a->st_mode, a->st_uid, a->st_gid, (long long)a->st_size,
	    (long long)a->st_atim.tv_sec, a->st_atim.tv_nsec, (long long)a->st_mtim.tv_sec,
	    a->st_mtim.tv_nsec, fi ? (unsigned long long)fi->fh : 0);
	fuse_reply_attr(req, &st, 3600);
}

static void o_readlink(fuse_req_t req, fuse_ino_t ino)
{
	head("readlink", req, ino);
	say("\n");
	fuse_reply_readlink(req, "../target of link");
}

static void o_mknod(fuse_req_t req, fuse_ino_t ino, const char *name, mode_t mode, dev_t rdev)
{
	struct fuse_entry_param e = entry();

	head("mknod", req, ino);
	say(" name=%s mode=%o rdev=%#lx\n", name, mode, (unsigned long)rdev);
	fuse_reply_entry(req, &e);
}

static void o_mkdir(fuse_req_t req, fuse_ino_t ino, const char *name, mode_t mode)
{
	struct fuse_entry_param e = entry();

	head("mkdir", req, ino);
	say(" name=%s mode=%o\n", name, mode);
	fuse_reply_entry(req, &e);
}

static void o_unlink(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	head("unlink", req, ino);
	say(" name=%s\n", name);
	fuse_reply_err(req, EACCES);
}

static void o_rmdir(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	head("rmdir", req, ino);
	say(" name=%s\n", name);
	fuse_reply_err(req, 0);
}

static void o_symlink(fuse_req_t req, const char *target, fuse_ino_t ino, const char *name)
{
	struct fuse_entry_param e = entry();

	head("symlink", req, ino);
	say(" name=%s target=%s\n", name, target);
	fuse_reply_entry(req, &e);
}

static void o_rename(fuse_req_t req, fuse_ino_t ino, const char *name, fuse_ino_t newparent,
		     const char *newname, unsigned int flags)
{
	head("rename", req, ino);
	say(" name=%s newparent=%lu newname=%s flags=%u\n", name, (unsigned long)newparent, newname,
	    flags);
	fuse_reply_err(req, 0);
}

static void o_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t newparent, const char *newname)
{
	struct fuse_entry_param e = entry();

	head("link", req, ino);
	say(" newparent=%lu newname=%s\n", (unsigned long)newparent, newname);
	fuse_reply_entry(req, &e);
}

static void o_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	head("open", req, ino);
	tail_fi(fi);
	fi->fh = 0xabcdef0123456789;
	fi->keep_cache = 1;
	fuse_reply_open(req, fi);
}

static void o_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		   struct fuse_file_info *fi)
{
	head("read", req, ino);
	say(" size=%zu off=%lld", size, (long long)off);
	tail_fi(fi);
	fuse_reply_buf(req, "read data", 9);
}

static void o_write_buf(fuse_req_t req, fuse_ino_t ino, struct fuse_bufvec *in, off_t off,
			struct fuse_file_info *fi)
{
	char data[64] = "";
	struct fuse_bufvec out = FUSE_BUFVEC_INIT(sizeof(data) - 1);
	size_t size = fuse_buf_size(in);

	out.buf[0].mem = data;
	head("write_buf", req, ino);
	say(" size=%zu copied=%zd off=%lld data=%s", size, fuse_buf_copy(&out, in, 0),
	    (long long)off, data);
	tail_fi(fi);
	fuse_reply_write(req, size);
}

static void o_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	head("flush", req, ino);
	tail_fi(fi);
	fuse_reply_err(req, 0);
}

static void o_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	head("release", req, ino);
	tail_fi(fi);
	fuse_reply_err(req, 0);
}

static void o_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	head("fsync", req, ino);
	say(" datasync=%d", datasync);
	tail_fi(fi);
	fuse_reply_err(req, EIO);
}

static void o_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	head("opendir", req, ino);
	tail_fi(fi);
	fi->fh = 4;
	fi->cache_readdir = 1;
	fuse_reply_open(req, fi);
}

static void o_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		      struct fuse_file_info *fi)
{
	head("readdir", req, ino);
	say(" size=%zu off=%lld", size, (long long)off);
	tail_fi(fi);
	fuse_reply_buf(req, NULL, 0);
}

static void o_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
			  struct fuse_file_info *fi)
{
	head("readdirplus", req, ino);
	say(" size=%zu off=%lld", size, (long long)off);
	tail_fi(fi);
	fuse_reply_buf(req, "plus", 4);
}

static void o_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	head("releasedir", req, ino);
	tail_fi(fi);
	fuse_reply_err(req, 0);
}

static void o_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	head("fsyncdir", req, ino);
	say(" datasync=%d", datasync);
	tail_fi(fi);
	fuse_reply_err(req, 0);
}

static void o_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct statvfs st = {
		.f_bsize = 4096, .f_frsize = 1024, .f_blocks = 1 << 30, .f_bfree = 12345,
		.f_bavail = 1234, .f_files = 99999, .f_ffree = 8888, .f_namemax = 250,
	};

	head("statfs", req, ino);
	say("\n");
	fuse_reply_statfs(req, &st);
}

static void o_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value,
		       size_t size, int flags)
{
	head("setxattr", req, ino);
	say(" name=%s value=%.*s size=%zu flags=%d\n", name, (int)size, value, size, flags);
	fuse_reply_err(req, ENOSPC);
}

static void o_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	head("getxattr", req, ino);
	say(" name=%s size=%zu\n", name, size);
	if (size == 0)
		fuse_reply_xattr(req, 5);
	else
		fuse_reply_buf(req, "value", 5);
}

static void o_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	head("listxattr", req, ino);
	say(" size=%zu\n", size);
	fuse_reply_err(req, ERANGE);
}

static void o_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	head("removexattr", req, ino);
	say(" name=%s\n", name);
	fuse_reply_err(req, ENODATA);
}

static void o_access(fuse_req_t req, fuse_ino_t ino, int mask)
{
	head("access", req, ino);
	say(" mask=%d\n", mask);
	fuse_reply_err(req, 0);
}

static void o_create(fuse_req_t req, fuse_ino_t ino, const char *name, mode_t mode,
		     struct fuse_file_info *fi)
{
	struct fuse_entry_param e = entry();

	head("create", req, ino);
	say(" name=%s mode=%o", name, mode);
	tail_fi(fi);
	fi->fh = 9;
	fi->direct_io = 1;
	fuse_reply_create(req, &e, fi);
}

static void print_lock(const struct flock *l)
{
	say(" type=%d start=%lld len=%lld pid=%d", l->l_type, (long long)l->l_start,
	    (long long)l->l_len, (int)l->l_pid);
}

static void o_getlk(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct flock *l)
{
	head("getlk", req, ino);
	print_lock(l);
	tail_fi(fi);
	l->l_len = 0;
	l->l_pid = 55;
	fuse_reply_lock(req, l);
}

static void o_setlk(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct flock *l,
		    int sleep)
{
	head("setlk", req, ino);
	print_lock(l);
	say(" sleep=%d", sleep);
	tail_fi(fi);
	fuse_reply_err(req, EAGAIN);
}

static void o_flock(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, int op)
{
	head("flock", req, ino);
	say(" op=%d", op);
	tail_fi(fi);
	fuse_reply_err(req, 0);
}

static void o_bmap(fuse_req_t req, fuse_ino_t ino, size_t blocksize, uint64_t idx)
{
	head("bmap", req, ino);
	say(" blocksize=%zu idx=%llu\n", blocksize, (unsigned long long)idx);
	fuse_reply_bmap(req, idx + 1000);
}

static void o_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd, void *arg,
		    struct fuse_file_info *fi, unsigned int flags, const void *in, size_t insz,
		    size_t outsz)
{
	head("ioctl", req, ino);
	say(" cmd=%#x arg=%p ioflags=%#x in=%.*s insz=%zu outsz=%zu", cmd, arg, flags, (int)insz,
	    insz ? (const char *)in : "", insz, outsz);
	tail_fi(fi);
	fuse_reply_ioctl(req, -3, "out", 3);
}

static void o_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
		   struct fuse_pollhandle *ph)
{
	head("poll", req, ino);
	say(" handle=%s events=%#x", ph ? "given" : "none", fi->poll_events);
	tail_fi(fi);
	if (ph) {
		say("  notify_poll: %d\n", fuse_lowlevel_notify_poll(ph));
		fuse_pollhandle_destroy(ph);
	}
	fuse_reply_poll(req, 0x41);
}

static void o_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t len,
			struct fuse_file_info *fi)
{
	head("fallocate", req, ino);
	say(" mode=%#x off=%lld len=%lld", (unsigned int)mode, (long long)off, (long long)len);
	tail_fi(fi);
	fuse_reply_err(req, 0);
}

static void o_copy_file_range(fuse_req_t req, fuse_ino_t ino_in, off_t off_in,
			      struct fuse_file_info *fi_in, fuse_ino_t ino_out, off_t off_out,
			      struct fuse_file_info *fi_out, size_t len, int flags)
{
	head("copy_file_range", req, ino_in);
	say(" off_in=%lld fh_in=%#llx ino_out=%lu off_out=%lld fh_out=%#llx len=%zu flags=%d\n",
	    (long long)off_in, (unsigned long long)fi_in->fh, (unsigned long)ino_out,
	    (long long)off_out, (unsigned long long)fi_out->fh, len, flags);
	fuse_reply_write(req, len);
}

static void o_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence,
		    struct fuse_file_info *fi)
{
	head("lseek", req, ino);
	say(" off=%lld whence=%d", (long long)off, whence);
	tail_fi(fi);
	fuse_reply_lseek(req, off + 1);
}

static void o_retrieve_reply(fuse_req_t req, void *cookie, fuse_ino_t ino, off_t off,
			     struct fuse_bufvec *in)
{
	char data[64] = "";
	struct fuse_bufvec out = FUSE_BUFVEC_INIT(sizeof(data) - 1);

	out.buf[0].mem = data;
	head("retrieve_reply", req, ino);
	say(" cookie=%p off=%lld size=%zu", cookie, (long long)off, fuse_buf_size(in));
	say(" copied=%zd data=%s\n", fuse_buf_copy(&out, in, 0), data);
	fuse_reply_none(req);
}

static void o_destroy(void *userdata)
{
	say("  destroy userdata=%s\n", userdata ? (const char *)userdata : "none");
}

const struct fuse_lowlevel_ops printing_ops = {
	.destroy = o_destroy, .lookup = o_lookup, .forget = o_forget,
	.forget_multi = o_forget_multi, .getattr = o_getattr, .setattr = o_setattr,
	.readlink = o_readlink, .mknod = o_mknod, .mkdir = o_mkdir, .unlink = o_unlink,
	.rmdir = o_rmdir, .symlink = o_symlink, .rename = o_rename, .link = o_link,
	.open = o_open, .read = o_read, .write_buf = o_write_buf, .flush = o_flush,
	.release = o_release, .fsync = o_fsync, .opendir = o_opendir, .readdir = o_readdir,
	.readdirplus = o_readdirplus, .releasedir = o_releasedir, .fsyncdir = o_fsyncdir,
	.statfs = o_statfs, .setxattr = o_setxattr, .getxattr = o_getxattr,
	.listxattr = o_listxattr, .removexattr = o_removexattr, .access = o_access,
	.create = o_create, .getlk = o_getlk, .setlk = o_setlk, .flock = o_flock,
	.bmap = o_bmap, .ioctl = o_ioctl, .poll = o_poll, .fallocate = o_fallocate,
	.copy_file_range = o_copy_file_range, .lseek = o_lseek,
	.retrieve_reply = o_retrieve_reply,
};

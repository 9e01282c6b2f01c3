//! Every public symbol of `libfuse.so.2`, its version node and the function behind it.
//!
//! Symbols and nodes are those of libfuse 2.9.9 (`abi/tables/symbols-libfuse2.tsv`). Those without a node are for programs
//! that were linked when the library had none; the name alone must not lead new programs to them, see `tools/hide-base`.
//! Tests compare both, and the library as built.

use ferrofuse_abi_common::{export, opt};

// The path-based API: file systems, their loops, and the main function.
export!(__fuse_exited @ = crate::high::fuse::fuse_exited);
export!(__fuse_loop_mt @ = crate::high::commands::fuse_loop_mt_proc);
export!(__fuse_process_cmd @ = crate::high::commands::fuse_process_cmd);
export!(__fuse_read_cmd @ = crate::high::commands::fuse_read_cmd);
export!(__fuse_teardown @ = crate::high::setup::fuse_teardown);
export!(fuse_clean_cache @@ "FUSE_2.9" = crate::high::handle::fuse_clean_cache);
export!(fuse_daemonize @@ "FUSE_2.6" = crate::high::daemonize::fuse_daemonize);
export!(fuse_destroy @@ "FUSE_2.2" = crate::high::handle::fuse_destroy);
export!(fuse_exit @@ "FUSE_2.2" = crate::high::handle::fuse_exit);
export!(fuse_exited @@ "FUSE_2.2" = crate::high::fuse::fuse_exited);
export!(fuse_get_session @@ "FUSE_2.6" = crate::high::handle::fuse_get_session);
export!(fuse_invalidate @@ "FUSE_2.2" = crate::high::fuse::fuse_invalidate);
export!(fuse_is_lib_option @@ "FUSE_2.2" = crate::high::options::fuse_is_lib_option);
export!(fuse_loop @@ "FUSE_2.2" = crate::high::loops::fuse_loop);
export!(fuse_loop_mt @@ "FUSE_2.2" = crate::high::loops::fuse_loop_mt);
export!(fuse_loop_mt_proc @@ "FUSE_2.2" = crate::high::commands::fuse_loop_mt_proc);
export!(fuse_main_real @@ "FUSE_2.6" = crate::high::setup::fuse_main_real);
export!(fuse_new @@ "FUSE_2.6" = crate::high::fuse::fuse_new);
export!(fuse_process_cmd @@ "FUSE_2.2" = crate::high::commands::fuse_process_cmd);
export!(fuse_read_cmd @@ "FUSE_2.2" = crate::high::commands::fuse_read_cmd);
export!(fuse_register_module @@ "FUSE_2.7" = crate::high::modules::fuse_register_module);
export!(fuse_setup @@ "FUSE_2.6" = crate::high::setup::fuse_setup);
export!(fuse_start_cleanup_thread @@ "FUSE_2.9" = crate::high::handle::fuse_start_cleanup_thread);
export!(fuse_stop_cleanup_thread @@ "FUSE_2.9" = crate::high::handle::fuse_stop_cleanup_thread);
export!(fuse_teardown @@ "FUSE_2.6" = crate::high::setup::fuse_teardown);

// What a path-based operation can ask of its request.
export!(__fuse_set_getcontext_func @ = crate::high::fuse::fuse_set_getcontext_func);
export!(fuse_get_context @ "FUSE_2.2" = crate::high::context::fuse_get_context);
export!(fuse_get_context @@ "FUSE_2.8" = crate::high::context::fuse_get_context);
export!(fuse_getgroups @@ "FUSE_2.8" = crate::high::context::fuse_getgroups);
export!(fuse_interrupted @@ "FUSE_2.6" = crate::high::context::fuse_interrupted);
export!(fuse_notify_poll @@ "FUSE_2.8" = crate::notify::fuse_lowlevel_notify_poll);
export!(fuse_set_getcontext_func @@ "FUSE_2.2" = crate::high::fuse::fuse_set_getcontext_func);

// File systems in a stack.
export!(fuse_fs_access @@ "FUSE_2.7" = crate::high::names::fuse_fs_access);
export!(fuse_fs_bmap @@ "FUSE_2.7" = crate::high::files::fuse_fs_bmap);
export!(fuse_fs_chmod @@ "FUSE_2.7" = crate::high::fs_calls::fuse_fs_chmod);
export!(fuse_fs_chown @@ "FUSE_2.7" = crate::high::fs_calls::fuse_fs_chown);
export!(fuse_fs_create @@ "FUSE_2.7" = crate::high::files::fuse_fs_create);
export!(fuse_fs_destroy @@ "FUSE_2.7" = crate::high::fs::fuse_fs_destroy);
export!(fuse_fs_fallocate @@ "FUSE_2.9.1" = crate::high::files::fuse_fs_fallocate);
export!(fuse_fs_fgetattr @@ "FUSE_2.7" = crate::high::fs_calls::fuse_fs_fgetattr);
export!(fuse_fs_flock @@ "FUSE_2.9" = crate::high::files::fuse_fs_flock);
export!(fuse_fs_flush @@ "FUSE_2.7" = crate::high::files::fuse_fs_flush);
export!(fuse_fs_fsync @@ "FUSE_2.7" = crate::high::files::fuse_fs_fsync);
export!(fuse_fs_fsyncdir @@ "FUSE_2.7" = crate::high::files::fuse_fs_fsyncdir);
export!(fuse_fs_ftruncate @@ "FUSE_2.7" = crate::high::fs_calls::fuse_fs_ftruncate);
export!(fuse_fs_getattr @@ "FUSE_2.7" = crate::high::fs_calls::fuse_fs_getattr);
export!(fuse_fs_getxattr @@ "FUSE_2.7" = crate::high::names::fuse_fs_getxattr);
export!(fuse_fs_init @@ "FUSE_2.7" = crate::high::start::fuse_fs_init_29);
export!(fuse_fs_ioctl @@ "FUSE_2.8" = crate::high::fs_calls::fuse_fs_ioctl);
export!(fuse_fs_link @@ "FUSE_2.7" = crate::high::names::fuse_fs_link);
export!(fuse_fs_listxattr @@ "FUSE_2.7" = crate::high::names::fuse_fs_listxattr);
export!(fuse_fs_lock @@ "FUSE_2.7" = crate::high::files::fuse_fs_lock);
export!(fuse_fs_mkdir @@ "FUSE_2.7" = crate::high::names::fuse_fs_mkdir);
export!(fuse_fs_mknod @@ "FUSE_2.7" = crate::high::names::fuse_fs_mknod);
export!(fuse_fs_new @@ "FUSE_2.7" = crate::high::fs::fuse_fs_new);
export!(fuse_fs_open @@ "FUSE_2.7" = crate::high::files::fuse_fs_open);
export!(fuse_fs_opendir @@ "FUSE_2.7" = crate::high::files::fuse_fs_opendir);
export!(fuse_fs_poll @@ "FUSE_2.8" = crate::high::files::fuse_fs_poll);
export!(fuse_fs_read @@ "FUSE_2.7" = crate::high::data::fuse_fs_read);
export!(fuse_fs_read_buf @@ "FUSE_2.9" = crate::high::data::fuse_fs_read_buf);
export!(fuse_fs_readdir @@ "FUSE_2.7" = crate::high::fs_calls::fuse_fs_readdir);
export!(fuse_fs_readlink @@ "FUSE_2.7" = crate::high::names::fuse_fs_readlink);
export!(fuse_fs_release @@ "FUSE_2.7" = crate::high::files::fuse_fs_release);
export!(fuse_fs_releasedir @@ "FUSE_2.7" = crate::high::files::fuse_fs_releasedir);
export!(fuse_fs_removexattr @@ "FUSE_2.7" = crate::high::names::fuse_fs_removexattr);
export!(fuse_fs_rename @@ "FUSE_2.7" = crate::high::fs_calls::fuse_fs_rename);
export!(fuse_fs_rmdir @@ "FUSE_2.7" = crate::high::names::fuse_fs_rmdir);
export!(fuse_fs_setxattr @@ "FUSE_2.7" = crate::high::names::fuse_fs_setxattr);
export!(fuse_fs_statfs @@ "FUSE_2.7" = crate::high::names::fuse_fs_statfs);
export!(fuse_fs_symlink @@ "FUSE_2.7" = crate::high::names::fuse_fs_symlink);
export!(fuse_fs_truncate @@ "FUSE_2.7" = crate::high::fs_calls::fuse_fs_truncate);
export!(fuse_fs_unlink @@ "FUSE_2.7" = crate::high::names::fuse_fs_unlink);
export!(fuse_fs_utimens @@ "FUSE_2.7" = crate::high::fs_calls::fuse_fs_utimens);
export!(fuse_fs_write @@ "FUSE_2.7" = crate::high::data::fuse_fs_write);
export!(fuse_fs_write_buf @@ "FUSE_2.9" = crate::high::data::fuse_fs_write_buf);

// Mounting.
export!(fuse_mount @ "FUSE_2.5" = crate::mount::fuse_mount_compat25);
export!(fuse_mount @@ "FUSE_2.6" = crate::mount::fuse_mount);
export!(fuse_mount_compat25 @@ "FUSE_2.6" = crate::mount::fuse_mount_compat25);
export!(fuse_unmount @@ "FUSE_2.6" = crate::mount::fuse_unmount);

// Channels.
export!(fuse_chan_bufsize @@ "FUSE_2.4" = crate::channel::fuse_chan_bufsize);
export!(fuse_chan_data @@ "FUSE_2.4" = crate::channel::fuse_chan_data);
export!(fuse_chan_destroy @@ "FUSE_2.4" = crate::channel::fuse_chan_destroy);
export!(fuse_chan_fd @@ "FUSE_2.4" = crate::channel::fuse_chan_fd);
export!(fuse_chan_new @ "FUSE_2.4" = crate::channel::fuse_chan_new_compat24);
export!(fuse_chan_new @@ "FUSE_2.6" = crate::channel::fuse_chan_new);
export!(fuse_chan_new_compat24 @@ "FUSE_2.6" = crate::channel::fuse_chan_new_compat24);
export!(fuse_chan_receive @@ "FUSE_2.4" = crate::channel::fuse_chan_receive);
export!(fuse_chan_recv @@ "FUSE_2.6" = crate::channel::fuse_chan_recv);
export!(fuse_chan_send @@ "FUSE_2.4" = crate::channel::fuse_chan_send);
export!(fuse_chan_session @@ "FUSE_2.4" = crate::channel::fuse_chan_session);
export!(fuse_kern_chan_new @@ "FUSE_2.4" = crate::channel::fuse_kern_chan_new);

// Sessions, their options and loops.
export!(fuse_lowlevel_is_lib_option @@ "FUSE_2.4" = crate::options::fuse_lowlevel_is_lib_option);
export!(fuse_lowlevel_new @@ "FUSE_2.6" = crate::session::fuse_lowlevel_new);
export!(fuse_session_add_chan @@ "FUSE_2.4" = crate::session::fuse_session_add_chan);
export!(fuse_session_data @@ "FUSE_2.8" = crate::session::fuse_session_data);
export!(fuse_session_destroy @@ "FUSE_2.4" = crate::session::fuse_session_destroy);
export!(fuse_session_exit @@ "FUSE_2.4" = crate::session::fuse_session_exit);
export!(fuse_session_exited @@ "FUSE_2.4" = crate::session::fuse_session_exited);
export!(fuse_session_loop @@ "FUSE_2.4" = crate::loops::fuse_session_loop);
export!(fuse_session_loop_mt @@ "FUSE_2.4" = crate::loops::fuse_session_loop_mt);
export!(fuse_session_new @@ "FUSE_2.4" = crate::session::fuse_session_new);
export!(fuse_session_next_chan @@ "FUSE_2.4" = crate::session::fuse_session_next_chan);
export!(fuse_session_process @@ "FUSE_2.4" = crate::session::fuse_session_process);
export!(fuse_session_process_buf @@ "FUSE_2.9" = crate::session::fuse_session_process_buf);
export!(fuse_session_receive_buf @@ "FUSE_2.9" = crate::session::fuse_session_receive_buf);
export!(fuse_session_remove_chan @@ "FUSE_2.6" = crate::session::fuse_session_remove_chan);
export!(fuse_session_reset @@ "FUSE_2.4" = crate::session::fuse_session_reset);

// Character devices.
export!(cuse_lowlevel_main @@ "FUSE_2.8" = crate::cuse::cuse_lowlevel_main);
export!(cuse_lowlevel_new @@ "FUSE_2.8" = crate::cuse::cuse_lowlevel_new);
export!(cuse_lowlevel_setup @@ "FUSE_2.8" = crate::cuse::cuse_lowlevel_setup);
export!(cuse_lowlevel_teardown @@ "FUSE_2.8" = crate::cuse::cuse_lowlevel_teardown);

// What a handler can ask of its request.
export!(fuse_req_ctx @ "FUSE_2.4" = crate::request::fuse_req_ctx);
export!(fuse_req_ctx @@ "FUSE_2.8" = crate::request::fuse_req_ctx);
export!(fuse_req_getgroups @@ "FUSE_2.8" = crate::request::fuse_req_getgroups);
export!(fuse_req_interrupt_func @@ "FUSE_2.6" = crate::request::fuse_req_interrupt_func);
export!(fuse_req_interrupted @@ "FUSE_2.6" = crate::request::fuse_req_interrupted);
export!(fuse_req_userdata @@ "FUSE_2.4" = crate::request::fuse_req_userdata);

// Replies.
export!(fuse_add_dirent @@ "FUSE_2.4" = crate::dirent::fuse_add_dirent);
export!(fuse_add_direntry @@ "FUSE_2.6" = crate::reply::fuse_add_direntry);
export!(fuse_dirent_size @@ "FUSE_2.4" = crate::dirent::fuse_dirent_size);
export!(fuse_reply_attr @@ "FUSE_2.4" = crate::reply::fuse_reply_attr);
export!(fuse_reply_bmap @@ "FUSE_2.7.5" = crate::reply::fuse_reply_bmap);
export!(fuse_reply_buf @@ "FUSE_2.4" = crate::reply::fuse_reply_buf);
export!(fuse_reply_create @@ "FUSE_2.5" = crate::reply::fuse_reply_create);
export!(fuse_reply_data @@ "FUSE_2.9" = crate::reply::fuse_reply_data);
export!(fuse_reply_entry @@ "FUSE_2.4" = crate::reply::fuse_reply_entry);
export!(fuse_reply_err @@ "FUSE_2.4" = crate::reply::fuse_reply_err);
export!(fuse_reply_ioctl @@ "FUSE_2.8" = crate::reply::fuse_reply_ioctl);
export!(fuse_reply_ioctl_iov @@ "FUSE_2.8" = crate::reply::fuse_reply_ioctl_iov);
export!(fuse_reply_ioctl_retry @@ "FUSE_2.8" = crate::reply::fuse_reply_ioctl_retry);
export!(fuse_reply_iov @@ "FUSE_2.7" = crate::reply::fuse_reply_iov);
export!(fuse_reply_lock @@ "FUSE_2.6" = crate::reply::fuse_reply_lock);
export!(fuse_reply_none @@ "FUSE_2.4" = crate::reply::fuse_reply_none);
export!(fuse_reply_open @@ "FUSE_2.5" = crate::reply::fuse_reply_open);
export!(fuse_reply_poll @@ "FUSE_2.8" = crate::reply::fuse_reply_poll);
export!(fuse_reply_readlink @@ "FUSE_2.4" = crate::reply::fuse_reply_readlink);
export!(fuse_reply_statfs @@ "FUSE_2.5" = crate::reply::fuse_reply_statfs);
export!(fuse_reply_write @@ "FUSE_2.4" = crate::reply::fuse_reply_write);
export!(fuse_reply_xattr @@ "FUSE_2.4" = crate::reply::fuse_reply_xattr);

// Notifications to the kernel.
export!(fuse_lowlevel_notify_delete @@ "FUSE_2.9" = crate::notify::fuse_lowlevel_notify_delete);
export!(fuse_lowlevel_notify_inval_entry @@ "FUSE_2.8" = crate::notify::fuse_lowlevel_notify_inval_entry);
export!(fuse_lowlevel_notify_inval_inode @@ "FUSE_2.8" = crate::notify::fuse_lowlevel_notify_inval_inode);
export!(fuse_lowlevel_notify_poll @@ "FUSE_2.8" = crate::notify::fuse_lowlevel_notify_poll);
export!(fuse_lowlevel_notify_retrieve @@ "FUSE_2.9" = crate::notify::fuse_lowlevel_notify_retrieve);
export!(fuse_lowlevel_notify_store @@ "FUSE_2.9" = crate::notify::fuse_lowlevel_notify_store);
export!(fuse_pollhandle_destroy @@ "FUSE_2.8" = crate::notify::fuse_pollhandle_destroy);

// Buffer vectors.
export!(fuse_buf_copy @@ "FUSE_2.9" = crate::buffer::fuse_buf_copy);
export!(fuse_buf_size @@ "FUSE_2.9" = crate::buffer::fuse_buf_size);

// The option parser and the command line.
export!(fuse_opt_add_arg @@ "FUSE_2.5" = opt::fuse_opt_add_arg);
export!(fuse_opt_add_opt @@ "FUSE_2.5" = opt::fuse_opt_add_opt);
export!(fuse_opt_add_opt_escaped @@ "FUSE_2.8" = opt::fuse_opt_add_opt_escaped);
export!(fuse_opt_free_args @@ "FUSE_2.5" = opt::fuse_opt_free_args);
export!(fuse_opt_insert_arg @ "FUSE_2.5" = opt::fuse_opt_insert_arg);
export!(fuse_opt_insert_arg @@ "FUSE_2.6" = opt::fuse_opt_insert_arg);
export!(fuse_opt_match @@ "FUSE_2.5" = opt::fuse_opt_match);
export!(fuse_opt_parse @@ "FUSE_2.5" = opt::fuse_opt_parse_29);
export!(fuse_parse_cmdline @@ "FUSE_2.5" = crate::cmdline::fuse_parse_cmdline);

// Signals.
export!(fuse_remove_signal_handlers @@ "FUSE_2.5" = crate::signals::fuse_remove_signal_handlers);
export!(fuse_set_signal_handlers @@ "FUSE_2.5" = crate::signals::fuse_set_signal_handlers);

// Entry points of older interfaces, and the version.
export!(__fuse_setup @ = crate::compat::high::fuse_setup_compat2);
export!(fuse_lowlevel_new @ "FUSE_2.4" = crate::compat::low::fuse_lowlevel_new_compat);
export!(fuse_lowlevel_new @ "FUSE_2.5" = crate::compat::low::fuse_lowlevel_new_compat25);
export!(fuse_lowlevel_new_compat @@ "FUSE_2.5" = crate::compat::low::fuse_lowlevel_new_compat);
export!(fuse_lowlevel_new_compat25 @@ "FUSE_2.6" = crate::compat::low::fuse_lowlevel_new_compat25);
export!(fuse_main @ = crate::compat::high::fuse_main_compat2);
export!(fuse_main @@ "FUSE_2.2" = crate::compat::high::fuse_main);
export!(fuse_main_compat1 @@ "FUSE_2.2" = crate::compat::high::fuse_main_compat1);
export!(fuse_main_compat2 @@ "FUSE_2.2" = crate::compat::high::fuse_main_compat2);
export!(fuse_main_real @ "FUSE_2.2" = crate::compat::high::fuse_main_real_compat22);
export!(fuse_main_real @ "FUSE_2.5" = crate::compat::high::fuse_main_real_compat25);
export!(fuse_main_real_compat22 @@ "FUSE_2.5" = crate::compat::high::fuse_main_real_compat22);
export!(fuse_main_real_compat25 @@ "FUSE_2.6" = crate::compat::high::fuse_main_real_compat25);
export!(fuse_mount @ "FUSE_2.2" = crate::compat::high::fuse_mount_compat22);
export!(fuse_mount_compat1 @@ "FUSE_2.2" = crate::compat::high::fuse_mount_compat1);
export!(fuse_mount_compat22 @@ "FUSE_2.5" = crate::compat::high::fuse_mount_compat22);
export!(fuse_new @ = crate::compat::high::fuse_new_compat2);
export!(fuse_new @ "FUSE_2.2" = crate::compat::high::fuse_new_compat22);
export!(fuse_new @ "FUSE_2.5" = crate::compat::high::fuse_new_compat25);
export!(fuse_new_compat1 @@ "FUSE_2.2" = crate::compat::high::fuse_new_compat1);
export!(fuse_new_compat2 @@ "FUSE_2.2" = crate::compat::high::fuse_new_compat2);
export!(fuse_new_compat22 @@ "FUSE_2.5" = crate::compat::high::fuse_new_compat22);
export!(fuse_new_compat25 @@ "FUSE_2.6" = crate::compat::high::fuse_new_compat25);
export!(fuse_reply_open @ "FUSE_2.4" = crate::compat::low::fuse_reply_open_compat);
export!(fuse_reply_open_compat @@ "FUSE_2.5" = crate::compat::low::fuse_reply_open_compat);
export!(fuse_reply_statfs @ "FUSE_2.4" = crate::compat::low::fuse_reply_statfs_compat);
export!(fuse_reply_statfs_compat @@ "FUSE_2.5" = crate::compat::low::fuse_reply_statfs_compat);
export!(fuse_setup @ "FUSE_2.2" = crate::compat::high::fuse_setup_compat22);
export!(fuse_setup @ "FUSE_2.5" = crate::compat::high::fuse_setup_compat25);
export!(fuse_setup_compat2 @@ "FUSE_2.2" = crate::compat::high::fuse_setup_compat2);
export!(fuse_setup_compat22 @@ "FUSE_2.5" = crate::compat::high::fuse_setup_compat22);
export!(fuse_setup_compat25 @@ "FUSE_2.6" = crate::compat::high::fuse_setup_compat25);
export!(fuse_teardown @ "FUSE_2.2" = crate::compat::high::fuse_teardown_compat22);
export!(fuse_teardown_compat22 @@ "FUSE_2.6" = crate::compat::high::fuse_teardown_compat22);
export!(fuse_unmount @ "FUSE_2.2" = crate::compat::high::fuse_unmount_compat22);
export!(fuse_unmount_compat22 @@ "FUSE_2.6" = crate::compat::high::fuse_unmount_compat22);
export!(fuse_version @@ "FUSE_2.7" = crate::compat::fuse_version);

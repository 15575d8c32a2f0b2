/**
 * Names are resolved in libuv's thread pool, of four threads by default: four names whose name server is silent would
 * hold up all others, and every check with a name would look like a timeout. The pool reads this when it is first
 * used, so this module is the first that is loaded.
 */
process.env['UV_THREADPOOL_SIZE'] ??= '32';

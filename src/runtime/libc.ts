import { createRequire } from "node:module";
import { getSystemErrorName } from "node:util";
import type Koffi from "koffi";
import { Failure } from "../base/failure.ts";

/** A function of libc, in this thread or in another. There is no errno of a call in another. */
type Call = ((fd: number, bytes: Uint8Array, length: number, flags: number) => number) & {
  readonly async: (
    fd: number,
    bytes: Uint8Array,
    length: number,
    flags: number,
    done: (error: Error | null, result: number) => void,
  ) => void;
};

/** What we call of libc: each gives -1 where it failed, and `errno` says why. */
export type Libc = {
  readonly socket: (family: number, type: number, protocol: number) => number;
  readonly setsockopt: (fd: number, level: number, name: number, value: Buffer, length: number) => number;
  readonly send: Call;
  readonly recv: Call;
  readonly setns: (fd: number, kind: number) => number;
  readonly errno: () => number;
};

let loaded: Libc | undefined;

/** Throws a Failure with E520 where libc can't be called on this machine. */
export function libc(): Libc {
  if (loaded !== undefined) return loaded;
  try {
    // Not an import: a machine for which koffi has no binary is still to run everything else.
    const koffi = createRequire(import.meta.url)("koffi") as typeof Koffi;
    const library = koffi.load("libc.so.6");
    loaded = {
      socket: library.func("int socket(int family, int type, int protocol)"),
      setsockopt: library.func("int setsockopt(int fd, int level, int name, const void *value, unsigned int length)"),
      send: library.func("intptr_t send(int fd, const void *bytes, size_t length, int flags)") as Call,
      recv: library.func("intptr_t recv(int fd, void *bytes, size_t length, int flags)") as Call,
      setns: library.func("int setns(int fd, int kind)"),
      errno: () => koffi.errno(),
    };
    return loaded;
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    throw new Failure("E520", "netlink", `libc can't be called: ${said}`, "install the package koffi", { cause });
  }
}

/** Calls in another thread, so that this one goes on meanwhile. The bytes must not be touched until it resolves. */
export function elsewhere(call: Call, fd: number, bytes: Uint8Array, flags: number): Promise<number> {
  return new Promise((resolve, reject) => {
    call.async(fd, bytes, bytes.length, flags, (error, result) => {
      if (error instanceof Error) reject(error);
      else resolve(result);
    });
  });
}

/** `ENOENT`. */
export function errorName(errno: number): string {
  return errno > 0 ? getSystemErrorName(-errno) : String(errno);
}

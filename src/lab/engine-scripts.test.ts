import { expect, test } from "vitest";
import { cgroupMounts } from "./engine-scripts.ts";

test("cgroupMounts finds one hierarchy with cgroup v2", () => {
  const text =
    "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n29 1 0:5 / /proc rw - proc proc rw\n";
  expect(cgroupMounts(text)).toEqual([{ path: "/sys/fs/cgroup", type: "cgroup2", options: "rw" }]);
});

test("cgroupMounts finds every hierarchy with cgroup v1, and how to mount it again", () => {
  const text = [
    "31 24 0:27 / /sys/fs/cgroup ro - tmpfs tmpfs ro",
    "32 31 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate",
    "33 31 0:29 / /sys/fs/cgroup/systemd rw - cgroup systemd rw,xattr,name=systemd",
    "34 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct",
  ].join("\n");
  expect(cgroupMounts(text)).toEqual([
    { path: "/sys/fs/cgroup/unified", type: "cgroup2", options: "rw" },
    { path: "/sys/fs/cgroup/systemd", type: "cgroup", options: "none,name=systemd" },
    { path: "/sys/fs/cgroup/cpu,cpuacct", type: "cgroup", options: "cpu,cpuacct" },
  ]);
});

test("cgroupMounts takes no mount from elsewhere, and none whose path a shell could misread", () => {
  expect(
    cgroupMounts("1 1 0:1 / /sys/fs/cgroup/$(x) rw - cgroup2 c rw\n2 1 0:1 / /mnt/cgroup rw - cgroup2 c rw"),
  ).toEqual([]);
});

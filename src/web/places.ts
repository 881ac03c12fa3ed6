/** Where a controller puts what others on its machine look for, unless it is told otherwise. */
export const places = {
  /** The API's unix socket: root only. */
  socket: "/run/sixgate/controller.sock",
  /** What must outlive the controller. */
  state: "/var/lib/sixgate",
  /** The admin token that the first start writes: root only. */
  token: "/var/lib/sixgate/admin.token",
} as const;

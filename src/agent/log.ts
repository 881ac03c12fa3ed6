/** Where an agent says what it does. Names in a text are encoded by whoever puts them there; nothing secret ever is. */
export type AgentLog = {
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
};

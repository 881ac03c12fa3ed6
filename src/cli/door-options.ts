import { type Command, Option } from "commander";
import { places } from "../web/places.ts";

/** How a verb was told to find the controller. */
export type DoorOptions = {
  readonly controller?: string;
  readonly tokenFile?: string;
  readonly ca?: string;
  readonly lab?: string | true;
};

/** The options of every verb that speaks to a controller. */
export function withDoor(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--controller <url>",
        `the controller's API: unix:PATH or https://HOST:PORT; default unix:${places.socket}`,
      ).env("SIXGATE_CONTROLLER"),
    )
    .addOption(
      new Option("--token-file <file>", `the file with the token; default ${places.token}`).env("SIXGATE_TOKEN_FILE"),
    )
    .addOption(new Option("--ca <file>", "the authority of the controller's certificate, in PEM").env("SIXGATE_CA"))
    .option("--lab [name]", "the controller of a running lab");
}

import { Failure } from "../../base/failure.ts";
import { type Instant } from "../../base/time.ts";
import type { Address } from "../../net/address.ts";
import { errorName } from "../../runtime/libc.ts";
import { type Netlink, type NetlinkOptions, openNetlink } from "../../runtime/netlink.ts";
import type { Message } from "../../runtime/netlink-message.ts";
import type { Counted, LaneWays, SetChange } from "./lane-ways.ts";
import type { Member, MemberKind } from "./members.ts";
import { counterIn } from "./wire-counts.ts";
import { changeBatch, dumpRequest, eachMember, holdBatch } from "./wire-elements.ts";
import {
  answerKey,
  countRequest,
  deletionRequest,
  flowFilter,
  flowIn,
  flowsRequest,
  type WireFlow,
} from "./wire-flows.ts";

const [notThere, alreadyThere, fileTableFull, notEmpty] = [2, 17, 23, 39];
/** A dump is made again when something changed meanwhile; so often. */
const tries = 20;
/** Flows that are ended by one datagram. */
const flowBatch = 200;

/**
 * Through netlink, in this process. Throws a Failure with E520 where it can't be had. Two sockets, for a change must
 * not wait until something long is read.
 */
export function netlinkWays(device: string, options: NetlinkOptions = {}): LaneWays<WireFlow> {
  const changing = openNetlink(options);
  const reading = openNetlink(options);
  const oneByOne = queue();

  async function dumpFlows(to: ReadonlySet<Address>): Promise<readonly WireFlow[]> {
    const found: WireFlow[] = [];
    const filter = flowFilter(to);
    const { errno } = await dumpWith(reading, flowsRequest(), undefined, (attributes) => {
      if (filter(attributes)) found.push(flowIn(attributes));
    });
    if (errno !== 0) throw uncut(device, `Flows can't be read: ${errorName(errno)}`);
    return found.filter((each) => to.has(each.to));
  }
  return {
    async write(changes, now) {
      return writeBatch(changing, device, changes, now);
    },
    async mustHaveFlows() {
      const answers = changing.ask(countRequest());
      if (answers.some((each) => each.is === "data")) return;
      throw uncut(device, `Flows can't be counted: ${errnosIn(answers).map(errorName).join(", ")}`);
    },
    read: (set, kind, now, signal) =>
      oneByOne(() => dumpSet(device, reading, set, kind, now, signal, (member) => member)),
    counted: (set, kind, now, signal) =>
      oneByOne(() =>
        dumpSet(device, reading, set, kind, now, signal, (member, expression): Counted | undefined => {
          const counter = counterIn(expression);
          return counter === undefined ? undefined : { member, ...counter };
        }),
      ),
    flows: (to) => oneByOne(() => dumpFlows(to)),
    async cut(flows) {
      hold(changing, device, flows);
      for (let at = 0; at < flows.length; at += flowBatch) {
        const answers = changing.ask(deletionRequest(flows.slice(at, at + flowBatch)));
        const errno = errnosIn(answers).find((each) => each !== 0 && each !== notThere);
        if (errno !== undefined) throw uncut(device, `A flow can't be ended: ${errorName(errno)}`);
      }
    },
    end: () =>
      oneByOne(async () => {
        changing.close();
        reading.close();
      }),
  };
}

/** `take` makes of an element what is wanted of it; what it gives nothing for is left out. */
async function dumpSet<T>(
  device: string,
  reading: Netlink,
  set: string,
  kind: MemberKind,
  now: Instant,
  signal: AbortSignal | undefined,
  take: (member: Member, expression: Buffer | undefined) => T | undefined,
): Promise<readonly T[]> {
  for (let n = 0; n < tries; n++) {
    const found: T[] = [];
    const dumped = await dumpWith(reading, dumpRequest(set), signal, (attributes) =>
      eachMember(attributes, kind, now, (member, expression) => {
        const taken = take(member, expression);
        if (taken !== undefined) found.push(taken);
      }),
    );
    if (dumped.errno !== 0) throw unread(device, `Set ${set}: ${errorName(dumped.errno)}`, dumped.errno);
    if (dumped.whole) return found;
  }
  throw unread(device, `Set ${set} changed each of ${tries} times that it was read`, 0);
}

function writeBatch(socket: Netlink, device: string, changes: readonly SetChange[], now: Instant): Failure | undefined {
  const { datagram, last } = changeBatch(changes, now);
  if (last === 0) return undefined;
  const answers = socket.ask(datagram);
  const errnos = errnosIn(answers).filter((each) => each !== 0);
  if (errnos.length === 0 && answers.some((each) => each.is === "error" && each.sequence === last)) return undefined;
  const said = errnos.length === 0 ? "no answer" : [...new Set(errnos)].map(errorName).join(", ");
  const fix = errnos.includes(notThere)
    ? "apply the fleet file first: the gateway's sets are not there"
    : "look at the gateway by hand";
  const failure = new Failure("E521", device, `The kernel refused a change of openings: ${said}`, fix);
  const mayDiffer = errnos.length > 0 && errnos.every((each) => [notThere, alreadyThere, notEmpty].includes(each));
  if (mayDiffer && changes.some(({ kind }) => kind === "from" || kind === "livefrom")) return failure;
  throw failure;
}

/** A full set is no reason to let the flows be: only late answers over UDP would begin them anew then. */
function hold(socket: Netlink, device: string, flows: readonly WireFlow[]): void {
  const { datagram, last } = holdBatch(flows.flatMap((each) => answerKey(each) ?? []));
  if (last === 0) return;
  const errno = errnosIn(socket.ask(datagram)).find((each) => each !== 0 && each !== fileTableFull);
  if (errno !== undefined) throw uncut(device, `Answers of flows can't be held off: ${errorName(errno)}`);
}

type Dumped = { readonly whole: boolean; readonly errno: number };

async function dumpWith(
  socket: Netlink,
  request: Uint8Array,
  signal: AbortSignal | undefined,
  each: (attributes: Buffer) => void,
): Promise<Dumped> {
  let errno = 0;
  const whole = await socket.dump(
    request,
    (message) => {
      if (message.is === "data") each(message.attributes);
      else errno = message.errno;
    },
    signal,
  );
  return { whole, errno };
}

function errnosIn(answers: readonly Message[]): readonly number[] {
  return answers.flatMap((each) => (each.is === "error" ? [each.errno] : []));
}

/** Runs one thing after the other: a socket has one dump at a time. */
function queue(): <T>(work: () => Promise<T>) => Promise<T> {
  let earlier: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = earlier.then(work);
    earlier = mine.catch(() => undefined);
    return mine;
  };
}

function unread(device: string, text: string, errno: number): Failure {
  const fix = errno === notThere ? "apply the fleet file first: the gateway's sets are not there" : "try again";
  return new Failure("E522", device, text, fix);
}

function uncut(device: string, text: string): Failure {
  return new Failure(
    "E523",
    device,
    text,
    "see that the kernel has connection tracking over netlink (nf_conntrack_netlink)",
  );
}

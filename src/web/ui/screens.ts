import type { ComponentType } from "preact";
import { ActivityScreen } from "./screens/activity/activity-screen.tsx";
import { AddressesScreen } from "./screens/addresses/addresses-screen.tsx";
import { MapScreen } from "./screens/map/map-screen.tsx";
import { OpeningsScreen } from "./screens/openings/openings-screen.tsx";
import { PlanScreen } from "./screens/plan/plan-screen.tsx";

/**
 * The page's screens, in the order of its navigation. A screen is a folder `screens/NAME/` that exports one component,
 * and one line here. It is mounted under `#/ID` while it is looked at and takes no properties:
 *
 * - what it was told stands in `place` (`route.ts`); `linkTo` leads to another screen
 * - it reads by `get` and gives orders by `post` (`store/ask.ts`); `onReadAgain` and `onEvent` (`store/live.ts`) say when
 * - types of answers are those of the API's schemas, imported as types
 * - what is drawn on the command line too is made in `web/picture/`, which knows no browser
 * - `askWhy` (`store/why.ts`) opens the panel with the chain of reasons, from anywhere
 * - `may(role)` (`store/session-state.ts`): what somebody may not do is not offered
 * - `parts/` has what several screens use: VirtualTable, SearchBox, Tabs, Badge, Dialog, Troubles, Empty, CommandLine
 * - its styles are in `styles/`, by classes; colours are the custom properties of `styles/base.css`
 *
 * Names of hosts and containers are text that anybody may have chosen: as children of elements they stay text.
 */
export type Screen = { readonly id: string; readonly title: string; readonly component: ComponentType };

export const screens: readonly Screen[] = [
  { id: "openings", title: "Openings", component: OpeningsScreen },
  { id: "map", title: "Map", component: MapScreen },
  { id: "addresses", title: "Addresses", component: AddressesScreen },
  { id: "plan", title: "Plan and tests", component: PlanScreen },
  { id: "activity", title: "Activity", component: ActivityScreen },
];

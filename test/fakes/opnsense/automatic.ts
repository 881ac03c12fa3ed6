const messages = (head: string, places: string, types: string): readonly string[] =>
  types
    .split(" ")
    .map(
      (type) =>
        `${head} log quick inet6 proto ipv6-icmp ${places} icmp6-type ${type} keep state label "7355b5da99f40893221b6c4140de1006"`,
    );
const near = "echoreq routersol routeradv neighbrsol neighbradv";

/** The rules that OPNsense makes by itself, as pf prints them. */
export const automatic: readonly string[] = [
  "block drop in log on ! vtnet0 inet6 from 2001:db8:10ff:1:10::/80 to any",
  'block drop in log inet all label "02f4bab031b57d1e30553ce08e0ec131"',
  'block drop in log inet6 all label "02f4bab031b57d1e30553ce08e0ec131"',
  ...messages("pass in", "all", "unreach toobig timex paramprob neighbrsol neighbradv"),
  ...messages("pass out", "from (self:7) to fe80::/10", `echorep ${near}`),
  ...messages("pass out", "from (self:7) to ff02::/16", `echorep ${near}`),
  ...messages("pass in", "from fe80::/10 to fe80::/10", near),
  ...messages("pass in", "from fe80::/10 to ff02::/16", near),
  'block drop in log quick inet6 proto tcp from any to any port = 0 label "b454844853f2346167ad77449b79ad8e"',
  'block drop in log quick proto tcp from <sshlockout:0> to (self:7) port = 22 label "8b59cf89872747f657c42f9e93dd52e0"',
  'block drop in log quick from <virusprot:0> to any label "add09fc915886757c300419fc2ecc1e6"',
  'pass out log all flags S/SA keep state allow-opts label "fae559338f65e11c53669fc3642c93c2"',
];

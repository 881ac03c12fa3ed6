/** Where our files are on pfSense: on the file system that outlives a restart. */
export const folder = "/conf/sixgate";
export const programPath: string = `${folder}/sixgate.php`;
/** pfSense runs what ends in .sh there at the end of each boot (/etc/rc.start_packages). */
export const bootHookPath = "/usr/local/etc/rc.d/sixgate.sh";

/**
 * What the REST API package can't do, for pfSense's own PHP: \`php sixgate.php VERB [FILE]\`, JSON on standard input and
 * output. It reads and writes the configuration by pfSense's own functions, holds a lock of ours while it does, and
 * touches nothing but what carries our mark, what it is told by name, and what it saved itself.
 *
 * \`snapshot FILE\`  keeps in FILE what is ours and the interfaces named in \`interfaces\`, with the settings beside them
 * \`restore FILE\`   puts that back, wherever the configuration is now, and reloads
 * \`tidy\`           gives each of our rules a tracker of its own; puts back keys of interfaces that the API lost
 * \`nowhere\`        sets or removes the route to nowhere for \`network\`
 * \`members\`        adds to and removes from aliases by name, and reloads nothing
 * \`lane\`           makes aliases and rules of the members lane that are not there yet, and loads them
 *
 * What is of that lane is neither kept nor put back: what closed meanwhile must not open again.
 */
export const program = `<?php
// sixgate: made for pfSense 2.7.2 and later, CE and Plus.
$verb = $argv[1] ?? '';
$file = $argv[2] ?? '';
$guard = fopen(__FILE__, 'r');
if ($guard === false || !flock($guard, LOCK_EX)) { fwrite(STDERR, "the lock can't be had\\n"); exit(75); }
foreach (['globals', 'config', 'functions', 'filter', 'shaper', 'interfaces', 'gwlb', 'system'] as $each) require_once("$each.inc");

const MARK = 'sixgate: ';
const LISTS = ['aliases/alias', 'filter/rule', 'virtualip/vip', 'gateways/gateway_item', 'staticroutes/route',
  'nat/outbound/rule', 'sysctl/item'];
const VALUES = ['gateways/defaultgw4', 'gateways/defaultgw6', 'nat/outbound/mode'];

function marked($item) { return is_array($item) && strncmp($item['descr'] ?? '', MARK, strlen(MARK)) === 0; }
/** An alias by its name, a rule by what it is called. */
function of_lane($item) {
  return preg_match('/^sg[lts]_/', $item['name'] ?? '') === 1 || preg_match('/^sixgate: pass \\S+ sg[lt]_/', $item['descr'] ?? '') === 1;
}
function ours($item) { return marked($item) && !of_lane($item); }
function all($path) { $found = config_get_path($path, []); return is_array($found) ? array_values($found) : []; }
function answer($value) { echo json_encode($value, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE), "\\n"; exit(0); }
function fail($text) { fwrite(STDERR, "$text\\n"); exit(70); }
function words($text) { return preg_split('/ +/', (string)$text, -1, PREG_SPLIT_NO_EMPTY); }

function input() {
  $text = stream_get_contents(STDIN);
  $value = $text === '' ? [] : json_decode($text, true);
  if (!is_array($value)) fail('the input is no JSON object');
  return $value;
}

function snapshot($file, $wish) {
  $kept = ['lists' => [], 'values' => [], 'interfaces' => []];
  foreach (LISTS as $path) {
    $kept['lists'][$path] = [];
    foreach (all($path) as $at => $item) if (ours($item)) $kept['lists'][$path][] = ['at' => $at, 'item' => $item];
  }
  foreach (VALUES as $path) $kept['values'][$path] = config_get_path($path);
  foreach ($wish['interfaces'] as $id) $kept['interfaces'][$id] = config_get_path("interfaces/$id");
  $text = json_encode($kept);
  if (file_put_contents("$file.new", $text) !== strlen($text) || !rename("$file.new", $file)) fail("$file can't be written");
  answer(['bytes' => strlen($text)]);
}

function put_back_list($path, $kept) {
  $items = array_values(array_filter(all($path), fn($item) => !ours($item)));
  foreach ($kept as $each) array_splice($items, min($each['at'], count($items)), 0, [$each['item']]);
  config_set_path($path, $items);
}

function vips() { return array_filter(all('virtualip/vip'), 'ours'); }
function same_vip($a, $b) { return $a['subnet'] === $b['subnet'] && $a['subnet_bits'] === $b['subnet_bits'] && $a['interface'] === $b['interface']; }
function missing_in($vips, $others) {
  return array_filter($vips, fn($vip) => !array_filter($others, fn($other) => same_vip($vip, $other)));
}
function drop_route($route) {
  $family = strpos($route['network'], ':') === false ? '-inet' : '-inet6';
  mwexec("/sbin/route -q delete $family " . escapeshellarg($route['network']), true);
}

function restore($file) {
  $kept = json_decode((string)file_get_contents($file), true);
  if (!is_array($kept)) fail("$file can't be read");
  $vips = vips();
  $routes = array_filter(all('staticroutes/route'), 'ours');
  $changed = [];
  foreach ($kept['interfaces'] as $id => $before) {
    if (config_get_path("interfaces/$id") == $before) continue;
    $changed[] = $id;
    if ($before === null) { interface_bring_down($id, true); config_del_path("interfaces/$id"); }
    else config_set_path("interfaces/$id", $before);
  }
  foreach ($kept['lists'] as $path => $items) put_back_list($path, $items);
  foreach ($kept['values'] as $path => $value) {
    if ($value === null) config_del_path($path); else config_set_path($path, $value);
  }
  write_config('sixgate: a change was taken back');
  foreach (['.firewall_virtual_ip.apply', '.interfaces.apply', '.system_routes.apply'] as $pending) @unlink("/tmp/$pending");
  foreach (missing_in($vips, vips()) as $vip) interface_vip_bring_down($vip);
  foreach ($changed as $id) if ($kept['interfaces'][$id] !== null) interface_configure($id, true);
  foreach (missing_in(vips(), $vips) as $vip) interface_ipalias_configure($vip);
  $networks = array_column(all('staticroutes/route'), 'network');
  foreach ($routes as $route) if (!in_array($route['network'], $networks, true)) drop_route($route);
  system_routing_configure();
  setup_gateways_monitor();
  system_setup_sysctl();
  filter_configure_sync();
  foreach (['aliases', 'natconf', 'filter', 'vip', 'staticroutes', 'interfaces'] as $each) clear_subsystem_dirty($each);
  answer(['interfaces' => $changed]);
}

function tidy($wish) {
  $done = ['trackers' => 0, 'keys' => 0];
  $rules = all('filter/rule');
  $seen = [];
  foreach ($rules as $rule) if (!ours($rule)) $seen[$rule['tracker'] ?? ''] = true;
  foreach ($rules as &$rule) {
    if (!ours($rule)) continue;
    $tracker = (int)($rule['tracker'] ?? 0);
    if ($tracker > 0 && !isset($seen[$tracker])) { $seen[$tracker] = true; continue; }
    do $tracker = $tracker > 0 ? $tracker + 1 : time(); while (isset($seen[$tracker]));
    $rule['tracker'] = (string)$tracker;
    $seen[$tracker] = true;
    $done['trackers']++;
  }
  unset($rule);
  if ($done['trackers'] > 0) config_set_path('filter/rule', $rules);
  $kept = ($wish['snapshot'] ?? '') === '' ? [] : json_decode((string)file_get_contents($wish['snapshot']), true);
  foreach ($kept['interfaces'] ?? [] as $id => $before) {
    foreach ($before ?? [] as $key => $value) {
      if (in_array($key, $wish['known'], true) || config_get_path("interfaces/$id") === null) continue;
      if (config_get_path("interfaces/$id/$key") !== null) continue;
      config_set_path("interfaces/$id/$key", $value);
      $done['keys']++;
    }
  }
  if ($done['trackers'] + $done['keys'] > 0) write_config('sixgate: trackers and keys');
  answer($done);
}

function nowhere($wish) {
  $network = $wish['network'];
  $before = all('staticroutes/route');
  $kept = array_values(array_filter($before, fn($route) => !(ours($route) && $route['network'] === $network && $route['gateway'] === 'Null6')));
  if ($wish['present']) $kept[] = ['network' => $network, 'gateway' => 'Null6', 'descr' => MARK . 'unused space'];
  else drop_route(['network' => $network]);
  config_set_path('staticroutes/route', $kept);
  write_config('sixgate: the route to nowhere');
  system_routing_configure();
  answer(['routes' => count($kept)]);
}

function members($wish) {
  $aliases = all('aliases/alias');
  $found = [];
  foreach ($aliases as &$alias) {
    $change = $wish[$alias['name'] ?? ''] ?? null;
    if ($change === null || !ours($alias)) continue;
    $found[] = $alias['name'];
    $entries = array_values(array_diff(words($alias['address'] ?? ''), $change['remove']));
    $alias['address'] = implode(' ', array_values(array_unique(array_merge($entries, $change['add']))));
    $alias['detail'] = '';
  }
  unset($alias);
  $missing = array_values(array_diff(array_keys($wish), $found));
  if ($missing !== []) fail('no such alias of ours: ' . implode(', ', $missing));
  config_set_path('aliases/alias', $aliases);
  write_config('sixgate: openings');
  answer(['aliases' => count($found)]);
}

function interface_on($device) {
  foreach (config_get_path('interfaces', []) as $id => $each) if (($each['if'] ?? '') === $device) return $id;
  fail("no interface on $device");
}
function place($name) { return $name === '' ? ['any' => ''] : ['address' => $name]; }

function lane($wish) {
  $aliases = all('aliases/alias');
  $rules = all('filter/rule');
  $made = 0;
  foreach ($wish['aliases'] as $each) {
    $there = array_values(array_filter($aliases, fn($alias) => ($alias['name'] ?? '') === $each['name']));
    if ($there === []) {
      $aliases[] = ['name' => $each['name'], 'type' => $each['type'], 'address' => $each['address'], 'descr' => MARK . $each['about'], 'detail' => ''];
      $made++;
    } elseif (!marked($there[0]) || ($there[0]['address'] ?? '') !== $each['address']) fail("alias {$each['name']} is there and holds something else");
  }
  $seen = array_flip(array_column($rules, 'tracker'));
  $known = array_column($rules, 'descr');
  foreach ($wish['rules'] as $each) {
    if (in_array(MARK . $each['name'], $known, true)) continue;
    for ($tracker = time(); isset($seen[$tracker]); $tracker++);
    $seen[$tracker] = true;
    $rules[] = ['id' => '', 'tracker' => (string)$tracker, 'type' => 'pass', 'interface' => interface_on($each['on']), 'ipprotocol' => 'inet6',
      'statetype' => 'keep state', 'protocol' => $each['protocol'], 'source' => place($each['from']),
      'destination' => $each['port'] === '' ? place($each['to']) : place($each['to']) + ['port' => $each['port']], 'descr' => MARK . $each['name']]
      + ($each['protocol'] === 'icmp' ? ['icmptype' => 'echoreq'] : []);
    $made++;
  }
  if ($made > 0) {
    config_set_path('aliases/alias', $aliases);
    config_set_path('filter/rule', $rules);
    write_config('sixgate: services that were not open before');
  }
  filter_configure_sync();
  answer(['made' => $made]);
}

function names_in($text, $name) { return preg_match("/\\\\b$name\\\\b/", $text) === 1; }

/** Asked of pf right before: what is in a table lets somebody in. Unknown is not empty. */
function is_empty_table($name) {
  exec('pfctl -q -t ' . escapeshellarg($name) . ' -T show 2>/dev/null', $lines, $code);
  return $code === 0 && $lines === [];
}

function unlane($wish) {
  $aliases = all('aliases/alias');
  $rules = all('filter/rule');
  $of_lane = fn($item) => marked($item) && of_lane($item);
  $others = fn($items) => array_values(array_filter($items, fn($item) => !$of_lane($item)));
  $foreign = json_encode([$others($aliases), $others($rules), config_get_path('nat', [])], JSON_UNESCAPED_SLASHES);
  $gone = [];
  foreach ($wish['tables'] as $table) {
    if (preg_match('/^sg[lt]_[a-z0-9_]+$/', $table) === 1 && !names_in($foreign, $table) && is_empty_table($table)) $gone[] = $table;
  }
  if ($gone === []) answer(['gone' => 0]);
  $to = fn($rule) => $of_lane($rule) && preg_match('/^sixgate: pass \\S+ (\\S+)$/', $rule['descr'], $found) === 1 ? $found[1] : '';
  $rules = array_values(array_filter($rules, fn($rule) => !in_array($to($rule), $gone, true)));
  $asked = $foreign . json_encode($rules, JSON_UNESCAPED_SLASHES);
  $aliases = array_values(array_filter($aliases, function ($alias) use ($of_lane, $gone, $asked) {
    $name = $alias['name'] ?? '';
    if (!$of_lane($alias) || $name === 'sgs_none') return true;
    return strncmp($name, 'sgs_', 4) === 0 ? names_in($asked, $name) : !in_array($name, $gone, true);
  }));
  config_set_path('aliases/alias', $aliases);
  config_set_path('filter/rule', $rules);
  write_config('sixgate: services that nobody has open any more');
  filter_configure_sync();
  answer(['gone' => count($gone)]);
}

switch ($verb) {
  case 'snapshot': snapshot($file, input());
  case 'restore': restore($file);
  case 'tidy': tidy(input());
  case 'nowhere': nowhere(input());
  case 'members': members(input());
  case 'lane': lane(input());
  case 'unlane': unlane(input());
  default: fail("no verb $verb");
}
`;

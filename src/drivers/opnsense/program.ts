/** Where our files are on OPNsense: on the file system that outlives a restart. */
export const folder = "/conf/sixgate";
export const programPath: string = `${folder}/sixgate.php`;
/** OPNsense runs what may be executed there at the end of each boot (rc.syshook start). */
export const bootHookPath = "/usr/local/etc/rc.syshook.d/start/95-sixgate";

/**
 * The undo, for OPNsense's own PHP: \`php sixgate.php VERB FILE\`, JSON on standard input and output. It edits the
 * configuration through the product's own class, which locks it, and touches nothing but what carries our mark. What is of
 * the members lane it leaves as it is.
 *
 * \`snapshot FILE\`  keeps in FILE what is ours
 * \`restore FILE\`   puts that back, wherever the configuration is now, and reloads
 */
export const program = `<?php
// sixgate: made for OPNsense 24.7 and later.
$verb = $argv[1] ?? '';
$file = $argv[2] ?? '';
$guard = fopen(__FILE__, 'r');
if ($guard === false || !flock($guard, LOCK_EX)) { fwrite(STDERR, "the lock can't be had\\n"); exit(75); }
foreach (['script/load_phalcon.php', 'config.inc'] as $each) {
  if (stream_resolve_include_path($each) !== false) { require_once $each; break; }
}
if (!class_exists('OPNsense\\\\Core\\\\Config')) { fwrite(STDERR, "OPNsense's own classes are not found\\n"); exit(70); }

const MARK = 'sixgate: ';
const LISTS = [
  ['OPNsense/Firewall/Alias/aliases', 'alias', 'description'],
  ['OPNsense/Firewall/Filter/rules', 'rule', 'description'],
  ['OPNsense/Firewall/Filter/snatrules', 'rule', 'description'],
  ['virtualip', 'vip', 'descr'],
  ['OPNsense/Gateways', 'gateway_item', 'descr'],
  ['staticroutes', 'route', 'descr'],
  ['sysctl', 'item', 'descr'],
];

function answer($value) { echo json_encode($value, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE), "\\n"; exit(0); }
function fail($text) { fwrite(STDERR, "$text\\n"); exit(70); }

function text($element, $name) {
  foreach ($element->childNodes as $each) if ($each->nodeName === $name) return $each->textContent;
  return '';
}
/** Not what is of the members lane, an alias by its name, a rule by what it is called: what closed meanwhile must not open again. */
function ours($element, $field) {
  $called = text($element, $field);
  return strncmp($called, MARK, strlen(MARK)) === 0 && preg_match('/^sg[lts]_/', text($element, 'name')) !== 1
    && preg_match('/^sixgate: pass \\S+ sg[lt]_/', $called) !== 1;
}

/** The element that holds a list, made where it is missing. */
function holder($root, $path) {
  $at = $root;
  foreach (explode('/', $path) as $name) {
    $next = null;
    foreach ($at->childNodes as $each) if ($each->nodeName === $name) { $next = $each; break; }
    $at = $next ?? $at->appendChild($root->ownerDocument->createElement($name));
  }
  return $at;
}
function items($holder, $name) {
  $found = [];
  foreach ($holder->childNodes as $each) if ($each->nodeName === $name) $found[] = $each;
  return $found;
}
function fields($element) {
  $found = [];
  foreach ($element->childNodes as $each) if ($each->nodeType === XML_ELEMENT_NODE) $found[$each->nodeName] = $each->textContent;
  return $found;
}

/** Config holds the lock until the program ends. */
function opened() {
  $config = OPNsense\\Core\\Config::getInstance();
  $config->lock();
  return [$config, dom_import_simplexml($config->object())];
}

function snapshot($file) {
  [, $root] = opened();
  $kept = [];
  foreach (LISTS as [$path, $name, $field]) {
    foreach (items(holder($root, $path), $name) as $at => $element) {
      if (ours($element, $field))
        $kept["$path/$name"][] = ['at' => $at, 'uuid' => $element->getAttribute('uuid'), 'fields' => fields($element)];
    }
  }
  $text = json_encode(['lists' => $kept]);
  if (file_put_contents("$file.new", $text) !== strlen($text) || !rename("$file.new", $file)) fail("$file can't be written");
  answer(['bytes' => strlen($text)]);
}

function made($document, $name, $kept) {
  $element = $document->createElement($name);
  if ($kept['uuid'] !== '') $element->setAttribute('uuid', $kept['uuid']);
  foreach ($kept['fields'] as $field => $value) {
    $child = $document->createElement($field);
    if ($value !== '') $child->appendChild($document->createTextNode($value));
    $element->appendChild($child);
  }
  return $element;
}

/** What was removed from the configuration is told to the product as its own API does: in files that it looks for. */
function todo($kind, $before, $after, $field) {
  $still = array_column(array_column($after, 'fields'), $field);
  foreach ($before as $each) {
    $value = $each['fields'][$field] ?? '';
    if ($value !== '' && !in_array($value, $still, true)) file_put_contents("/tmp/delete_{$kind}_{$each['uuid']}.todo", "$value\\n");
  }
}

function restore($file) {
  $kept = json_decode((string)file_get_contents($file), true);
  if (!is_array($kept)) fail("$file can't be read");
  [$config, $root] = opened();
  $gone = [];
  foreach (LISTS as [$path, $name, $field]) {
    $holder = holder($root, $path);
    foreach (items($holder, $name) as $element) {
      if (!ours($element, $field)) continue;
      $gone["$path/$name"][] = ['uuid' => $element->getAttribute('uuid'), 'fields' => fields($element)];
      $holder->removeChild($element);
    }
    foreach ($kept['lists']["$path/$name"] ?? [] as $each) {
      $there = items($holder, $name);
      $holder->insertBefore(made($root->ownerDocument, $name, $each), $there[$each['at']] ?? null);
    }
  }
  $config->save();
  todo('vip', $gone['virtualip/vip'] ?? [], $kept['lists']['virtualip/vip'] ?? [], 'subnet');
  todo('route', $gone['staticroutes/route'] ?? [], $kept['lists']['staticroutes/route'] ?? [], 'network');
  $backend = new OPNsense\\Core\\Backend();
  $said = [];
  foreach (['interface vip configure', 'interface routes configure', 'template reload OPNsense/Filter',
    'filter reload skip_alias', 'filter refresh_aliases', 'service restart sysctl'] as $action)
    $said[$action] = trim((string)$backend->configdRun($action));
  answer(['said' => $said]);
}

switch ($verb) {
  case 'snapshot': snapshot($file);
  case 'restore': restore($file);
  default: fail("no verb $verb");
}
`;

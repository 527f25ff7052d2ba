import { parsed } from '../lib/json.js'
import { asFields } from './fields.js'
import { fieldsWithLine } from './held-lines.js'
import { withoutColours } from './messages.js'
import { behindPath, LABELLED } from './places.js'

/** The lines in a list, and in the answers of CloudWatch, Azure, Datadog, Elastic, Loki and Log Analytics. */
const LINES_OF_EXPORT =
  '(arrays, (objects | .events, .logEvents, .records, .results, .data, .hits.hits?, (.data.result? | arrays[].values), (.tables? | arrays[].rows))) | arrays[]'
/** How to make a line readable that is too long to be read. */
export const MANY_IN_ONE_LINE = `one line holds many: jq -c '${LINES_OF_EXPORT}' FILE | moengage-allowlist report`

const BROKEN =
  'it is cut off, joined with another line, in another form than the logger writes, of another version of moengage-allowlist, or stands ' +
  'where an application may write what a client sent: let each line be the JSON of the logger, or hold it in a field "log" or "message"'
const IN_MESSAGE =
  'its JSON is in msg, where an application may write what a client sent. If yours does not: ' +
  `sed -nE '/msg="\\{/{s/^(.*[[:space:]])?msg="((\\\\.|[^"\\])*)".*$/\\2/;s/\\\\(.)/\\1/g;p;}' FILE | moengage-allowlist report`
const YAML =
  "it is YAML: write JSON, such as gcloud logging read FILTER --format=json | jq -c '.[]' | moengage-allowlist report"

const SPREAD =
  "its JSON is spread over several lines: jq -c 'arrays[], objects' FILE | moengage-allowlist report (where a time stands before a brace: " +
  `sed -E 's/^[0-9][^"{]*\\{$/{/' FILE | jq -c 'arrays[], objects' | moengage-allowlist report); ` +
  'if pino-pretty wrote it, let the server write plain JSON'
const IN_LABELS =
  'labels stand in front of it, where an application may write what a client sent: let Loki write it without them, logcli query -o raw ' +
  'QUERY | moengage-allowlist report, or as JSON (-o jsonl)'

const inField = (name: string) =>
  `its JSON is in the field "${name}", where an application may write what a client sent. If yours does not: ` +
  `jq -c '(.${name} | fromjson?) // .${name} // .' FILE | moengage-allowlist report`

const BEHIND_PATH =
  'a path stands in front of it, as one may in front of what a client sent: let grep write none (grep -h), nor awslogs (--no-group). If ' +
  'your application writes no line that begins so: ' +
  `sed -E 's#^(data|error): +([A-Za-z]:)?[^":{]*:[0-9]+ - ##;s#^([A-Z][a-z]{2} [ 0-9:]+ [^ ]+ |source=)?([A-Za-z]:)?[/\\][^":{]*:?([0-9]+:)?#\\1#' FILE | moengage-allowlist report`

const IN_COLOURS = `it is in colours: sed "s/$(printf '\\033')\\[[0-9;]*[A-Za-z]//g" FILE > plain.log; moengage-allowlist report plain.log`
const WITHOUT_RECORD =
  'it is a message of the guard without its record: let the logger write all fields of a line as JSON, and hide none'

/** Whether a line is a member of an object whose other lines are elsewhere. */
const isMember = (text: string) => text.startsWith('"') && parsed(`{${text.replace(/,$/, '')}}`) !== undefined

/** How to make a line readable that mentions one of our records. */
export function adviceFor(line: string): string {
  const text = withoutColours(line).trim()
  const advice = adviceForPlain(text)
  // A command would not read it in colours.
  return text !== line && advice.includes('FILE') ? IN_COLOURS : advice
}

function adviceForPlain(text: string): string {
  if (/^std(?:out|err) P /.test(text))
    return 'its end is missing: the container runtime has cut it, and the rest is in another file'
  const [field] = fieldsWithLine(asFields(parsed(text)) ?? {})
  if (field !== undefined) return inField(field)
  if (behindPath(text)?.isLogFile === false) return BEHIND_PATH
  if (/(?:^|\s)msg="\{\\"/.test(text)) return IN_MESSAGE
  if (isMember(text)) return SPREAD
  if (LABELLED.test(text)) return IN_LABELS
  if (/^event: '.*',$/.test(text))
    return 'it is written for people, over several lines: let the server write plain JSON'
  if (/^(?:- )?event: /.test(text)) return YAML
  return text.includes('moengage') ? BROKEN : WITHOUT_RECORD
}

/* Names of emoji and their glyphs; a name that is not here is shown as :name:. */

export const GLYPHS = new Map(Object.entries({
  pushpin: "📌", clipboard: "📋", memo: "📝", eyes: "👀", "+1": "👍", thumbsup: "👍", "-1": "👎", thumbsdown: "👎",
  white_check_mark: "✅", heavy_check_mark: "✔️", x: "❌", warning: "⚠️", rotating_light: "🚨", fire: "🔥",
  fire_extinguisher: "🧯", fire_engine: "🚒", satellite_antenna: "📡", microscope: "🔬", scales: "⚖️", hammer_and_wrench: "🛠️",
  mega: "📣", loudspeaker: "📢", bell: "🔔", no_bell: "🔕", calendar: "📆", spiral_calendar_pad: "🗓️", date: "📅",
  clock: "🕘", alarm_clock: "⏰", stopwatch: "⏱️", hourglass: "⌛", hourglass_flowing_sand: "⏳", question: "❓", exclamation: "❗",
  bulb: "💡", mag: "🔍", wrench: "🔧", gear: "⚙️", link: "🔗", lock: "🔒", key: "🔑", package: "📦", rocket: "🚀",
  chart_with_upwards_trend: "📈", chart_with_downwards_trend: "📉", bar_chart: "📊", book: "📖", books: "📚", page_facing_up: "📄",
  speech_balloon: "💬", raised_hands: "🙌", clap: "👏", pray: "🙏", wave: "👋", raised_hand: "✋", hand: "✋", muscle: "💪", point_right: "👉",
  heart: "❤️", tada: "🎉", sparkles: "✨", star: "⭐", thinking_face: "🤔", slightly_smiling_face: "🙂", smile: "😄", joy: "😂",
  sweat_smile: "😅", sob: "😭", cry: "😢", grimacing: "😬", facepalm: "🤦", shrug: "🤷", scream: "😱", coffee: "☕", bug: "🐛",
  robot_face: "🤖", construction: "🚧", red_circle: "🔴", large_yellow_circle: "🟡", large_green_circle: "🟢", large_blue_circle: "🔵",
  arrow_right: "➡️", arrow_left: "⬅️", arrows_counterclockwise: "🔄", rewind: "⏪", hammer: "🔨", handshake: "🤝", four_leaf_clover: "🍀",
  shield: "🛡️", dart: "🎯", seedling: "🌱", turtle: "🐢", snail: "🐌", ship: "🚢", zap: "⚡", 100: "💯", ok_hand: "👌", hugging_face: "🤗",
  green_heart: "💚", purple_heart: "💜", exploding_head: "🤯", relieved: "😌", slightly_frowning_face: "🙁", upside_down_face: "🙃", bow: "🙇",
  point_left: "👈", cake: "🍰", pizza: "🍕", droplet: "💧", musical_note: "🎵", mailbox_with_mail: "📬", tooth: "🦷",
  information_source: "ℹ️", no_entry: "⛔", new: "🆕", repeat: "🔁", scroll: "📜", bookmark: "🔖", paperclip: "📎", studio_microphone: "🎙️",
}));

/* A machine without a font for emoji would show boxes: there the names are shown instead. */
const canvas = document.createElement("canvas");
canvas.width = canvas.height = 20;
const pen = canvas.getContext("2d", { willReadFrequently: true });
const missing = drawn("\u{10fffd}");
const drawable = new Map();

function drawn(sign) {
  pen.clearRect(0, 0, 20, 20);
  pen.font = "14px sans-serif";
  pen.fillText(sign, 1, 16);
  return pen.getImageData(0, 0, 20, 20).data.join();
}

function canBeDrawn(sign) {
  if (!drawable.has(sign)) drawable.set(sign, drawn([...sign][0]) !== missing);
  return drawable.get(sign);
}

/* The first two put a message on the timeline and propose an action from it. */
export const OFFERED = [
  "pushpin", "clipboard", "+1", "eyes", "pray", "tada", "heart", "white_check_mark", "thinking_face", "bulb", "warning", "fire",
  "clap", "wave", "joy", "sweat_smile", "grimacing", "rocket", "mag", "wrench", "satellite_antenna", "microscope", "scales",
  "hammer_and_wrench", "mega", "fire_extinguisher", "question", "100",
];

export function glyph(name) {
  const plain = name.split("::")[0];
  const sign = GLYPHS.get(plain);
  return sign && canBeDrawn(sign) ? sign : `:${plain}:`;
}

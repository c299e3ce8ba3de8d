// Emoji short codes that deploy bots use. A code that is not here is shown as it was written.

const CODES = {
  "+1": "👍", thumbsup: "👍", "-1": "👎", thumbsdown: "👎", ok_hand: "👌", raised_hands: "🙌", clap: "👏", pray: "🙏", wave: "👋",
  muscle: "💪", eyes: "👀", point_right: "👉", point_up: "☝️", raised_hand: "✋", hand: "✋", writing_hand: "✍️", handshake: "🤝",
  white_check_mark: "✅", heavy_check_mark: "✔️", ballot_box_with_check: "☑️", x: "❌", negative_squared_cross_mark: "❎", no_entry: "⛔",
  no_entry_sign: "🚫", octagonal_sign: "🛑", warning: "⚠️", rotating_light: "🚨", exclamation: "❗", heavy_exclamation_mark: "❗",
  bangbang: "‼️", question: "❓", grey_question: "❔", information_source: "ℹ️", construction: "🚧", vertical_traffic_light: "🚦",
  traffic_light: "🚥", railway_track: "🛤️", train: "🚋", steam_locomotive: "🚂", bullettrain_front: "🚅", station: "🚉", rocket: "🚀",
  package: "📦", hammer: "🔨", hammer_and_wrench: "🛠️", wrench: "🔧", gear: "⚙️", tools: "🛠️", nut_and_bolt: "🔩", electric_plug: "🔌",
  lock: "🔒", unlock: "🔓", closed_lock_with_key: "🔐", key: "🔑", shield: "🛡️", snowflake: "❄️", ice_cube: "🧊", fire: "🔥",
  fire_extinguisher: "🧯", bomb: "💣", boom: "💥", zap: "⚡", hourglass: "⌛", hourglass_flowing_sand: "⏳", alarm_clock: "⏰",
  stopwatch: "⏱️", timer_clock: "⏲️", clock1: "🕐", clock3: "🕒", watch: "⌚", calendar: "📆", date: "📅", spiral_calendar_pad: "🗓️",
  bell: "🔔", no_bell: "🔕", loudspeaker: "📢", mega: "📣", speech_balloon: "💬", thought_balloon: "💭", memo: "📝", pencil: "📝",
  pencil2: "✏️", page_facing_up: "📄", clipboard: "📋", pushpin: "📌", round_pushpin: "📍", paperclip: "📎", link: "🔗", mag: "🔍",
  mag_right: "🔎", bulb: "💡", bar_chart: "📊", chart_with_upwards_trend: "📈", chart_with_downwards_trend: "📉", floppy_disk: "💾",
  cd: "💿", computer: "💻", desktop_computer: "🖥️", file_folder: "📁", open_file_folder: "📂", card_index_dividers: "🗂️",
  wastebasket: "🗑️", inbox_tray: "📥", outbox_tray: "📤", email: "✉️", envelope: "✉️", envelope_with_arrow: "📩", ticket: "🎫",
  label: "🏷️", bookmark: "🔖", moneybag: "💰", gem: "💎", crown: "👑", tada: "🎉", confetti_ball: "🎊", sparkles: "✨", star: "⭐",
  star2: "🌟", trophy: "🏆", medal: "🏅", checkered_flag: "🏁", triangular_flag_on_post: "🚩", black_flag: "🏴", crossed_flags: "🎌",
  red_circle: "🔴", large_red_circle: "🔴", orange_circle: "🟠", large_orange_circle: "🟠", yellow_circle: "🟡", large_yellow_circle: "🟡",
  green_circle: "🟢", large_green_circle: "🟢", blue_circle: "🔵", large_blue_circle: "🔵", purple_circle: "🟣", large_purple_circle: "🟣",
  white_circle: "⚪", black_circle: "⚫", brown_circle: "🟤", red_square: "🟥", large_red_square: "🟥", green_square: "🟩",
  large_green_square: "🟩", yellow_square: "🟨", large_yellow_square: "🟨", blue_square: "🟦", large_blue_square: "🟦",
  white_large_square: "⬜", black_large_square: "⬛", small_blue_diamond: "🔹", small_orange_diamond: "🔸", large_blue_diamond: "🔷",
  large_orange_diamond: "🔶", small_red_triangle: "🔺", small_red_triangle_down: "🔻", radio_button: "🔘", black_small_square: "▪️",
  arrow_right: "➡️", arrow_left: "⬅️", arrow_up: "⬆️", arrow_down: "⬇️", arrow_forward: "▶️", arrow_backward: "◀️",
  arrow_upper_right: "↗️", arrow_lower_right: "↘️", arrows_counterclockwise: "🔄", arrows_clockwise: "🔃", repeat: "🔁",
  leftwards_arrow_with_hook: "↩️", arrow_right_hook: "↪️", fast_forward: "⏩", rewind: "⏪", black_square_for_stop: "⏹️",
  double_vertical_bar: "⏸️", black_right_pointing_triangle_with_double_vertical_bar: "⏯️", heavy_plus_sign: "➕", heavy_minus_sign: "➖",
  recycle: "♻️", infinity: "♾️", wavy_dash: "〰️", one: "1️⃣", two: "2️⃣", three: "3️⃣", four: "4️⃣", five: "5️⃣", "100": "💯", new: "🆕",
  free: "🆓", up: "🆙", sos: "🆘", ok: "🆗", smile: "😄", smiley: "😃", grin: "😁", joy: "😂", slightly_smiling_face: "🙂", wink: "😉",
  blush: "😊", heart_eyes: "😍", thinking_face: "🤔", neutral_face: "😐", confused: "😕", cry: "😢", sob: "😭", scream: "😱", rage: "😡",
  sweat_smile: "😅", upside_down_face: "🙃", partying_face: "🥳", sleeping: "😴", zzz: "💤", robot_face: "🤖", ghost: "👻", skull: "💀",
  see_no_evil: "🙈", bug: "🐛", beetle: "🪲", whale: "🐳", turtle: "🐢", snail: "🐌", bird: "🐦", seedling: "🌱", herb: "🌿",
  evergreen_tree: "🌲", sunny: "☀️", cloud: "☁️", umbrella: "☔", rainbow: "🌈", earth_americas: "🌎", globe_with_meridians: "🌐",
  heart: "❤️", green_heart: "💚", blue_heart: "💙", yellow_heart: "💛", purple_heart: "💜", broken_heart: "💔", coffee: "☕", beer: "🍺",
  cake: "🍰", gift: "🎁", house: "🏠", office: "🏢", factory: "🏭", hospital: "🏥", bank: "🏦", ship: "🚢", anchor: "⚓", airplane: "✈️",
  back: "🔙", soon: "🔜", top: "🔝", bust_in_silhouette: "👤", busts_in_silhouette: "👥", cop: "👮", construction_worker: "👷",
  shrug: "🤷", facepalm: "🤦", man_shrugging: "🤷‍♂️", woman_shrugging: "🤷‍♀️", test_tube: "🧪", microscope: "🔬", telescope: "🔭",
  thermometer: "🌡️", satellite: "🛰️", satellite_antenna: "📡", battery: "🔋", compass: "🧭", world_map: "🗺️", jigsaw: "🧩", dart: "🎯",
  game_die: "🎲", magnet: "🧲", broom: "🧹", "e-mail": "📧", point_down: "👇", point_left: "👈", ladder: "🪜", chains: "⛓️", adult: "🧑",
};

/** The character for a short code (`white_check_mark`), or `undefined`. */
export function emoji(code) {
  return Object.hasOwn(CODES, code) ? CODES[code] : undefined;
}

/** Codes that begin with (or else contain) what was typed, best first, at most `limit`. */
export function findEmoji(typed, limit = 8) {
  const codes = Object.keys(CODES);
  const first = codes.filter((code) => code.startsWith(typed));
  const rest = codes.filter((code) => !code.startsWith(typed) && code.includes(typed));
  return [...first, ...rest].slice(0, limit).map((code) => ({ code, character: CODES[code] }));
}

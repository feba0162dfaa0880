# A client in Godot 3.2: session.gd, reader.gd and keeper.gd behind its own sockets.   usage: see test_godot.py
#
# request.json: {"url", "token", "livelink", "vmc" (ports of UDP), "seconds"}. told.json: what came. WebSocketClient of Godot 3
# stands in for WebSocketPeer of Godot 4 here; the rest is what the Godot 4 nodes use.
extends SceneTree

const Wire = preload("res://wire/wire_generated.gd")
const Reader = preload("res://wire/reader.gd")
const Session = preload("res://wire/session.gd")
const Keeper = preload("res://wire/keeper.gd")

var _reader = Reader.new()
var _keeper = Keeper.new()
var _frame = Wire.Frame.new()
var _readers = {"livelink": Reader.new(), "vmc": Reader.new()}
var _faces = {"livelink": Wire.Frame.new(), "vmc": Wire.Frame.new()}
var _session
var _socket
var _request
var _ports = {}
var _told = {
	"seqs": [], "age_ms": [], "lost_s": [], "back_s": [], "livelink": 0, "vmc": 0, "refused": 0, "jaw": [], "refusal": "",
	"presence": [], "datagrams": 0,
}
var _again_s = INF
var _lost_s = INF
var _began_s = 0.0
var _shown_s = 0.0


func _initialize():
	var file = File.new()
	file.open("res://request.json", File.READ)
	_request = JSON.parse(file.get_as_text()).result
	_began_s = _now_s()
	for dialect in ["livelink", "vmc"]:
		if _request.has(dialect):
			_ports[dialect] = PacketPeerUDP.new()
			_ports[dialect].listen(int(_request[dialect]), "127.0.0.1")
	if _request.has("url"):
		_session = Session.new({"token": _request["token"], "name": "godot 3.2"})
		_dial()


func _idle(_delta):
	var now_s = _now_s()
	if _socket != null:
		_socket.poll()
		var question = _session.asks(now_s)
		if question != null:
			_say(question)
	if now_s >= _again_s:
		_dial()
	for dialect in _ports:
		while _ports[dialect].get_available_packet_count() > 0:
			_hear(dialect, _ports[dialect].get_packet(), now_s)
	_keeper.stepped(now_s)
	if now_s - _shown_s > 0.05:
		_shown_s = now_s
		_told["presence"].append([now_s - _began_s, _keeper.presence, _keeper.shown.weights[24]])
	if now_s - _began_s > _request["seconds"]:
		_end()
		quit()
	OS.delay_usec(500)


func _dial():
	_again_s = INF
	_session.opened()
	_socket = WebSocketClient.new()
	_socket.connect("connection_error", self, "_lost", [false, -1])
	_socket.connect("connection_closed", self, "_lost")
	_socket.connect("server_close_request", self, "_closing")
	_socket.connect("data_received", self, "_received")
	_code = -1
	_socket.connect_to_url(_request["url"], PoolStringArray([Wire.SUBPROTOCOL]))


var _code = -1


func _closing(code, _reason):
	_code = code


func _lost(_clean = false, _unused = -1):
	if _lost_s == INF:
		_lost_s = _now_s()
		_told["lost_s"].append(_lost_s - _began_s)
	var pause_s = _session.closed(_code, randf())
	_told["refusal"] = _session.refusal
	_again_s = _now_s() + pause_s if pause_s >= 0 else INF


func _received():
	var peer = _socket.get_peer(1)
	while peer.get_available_packet_count() > 0:
		var bytes = peer.get_packet()
		var now_s = _now_s()
		if peer.was_string_packet():
			for answer in _session.heard(JSON.parse(bytes.get_string_from_utf8()).result, now_s):
				_say(answer)
		elif _reader.frame(bytes, _frame):
			if _lost_s < INF:
				_told["back_s"].append(now_s - _lost_s)
				_lost_s = INF
			_told["seqs"].append(_frame.seq)
			_told["age_ms"].append(1000.0 * (_session.media_time_s_at(now_s) - _frame.media_time_s))
			_keeper.took(_frame, now_s)
			var seq = _session.came(_frame.seq)
			if seq >= 0:
				peer.set_write_mode(WebSocketPeer.WRITE_MODE_BINARY)
				peer.put_packet(_reader.ack_bytes(seq))
		else:
			_told["refused"] += 1


func _hear(dialect, bytes, now_s):
	_told["datagrams"] += 1
	var reader = _readers[dialect]
	var face = _faces[dialect]
	var answer = reader.livelink(bytes, face, now_s) if dialect == "livelink" else reader.vmc(bytes, face, now_s)
	if answer < 0:
		_told["refused"] += 1
	elif answer > 0:
		_told[dialect] += 1
		_told["jaw"].append(face.weights[24])
		_keeper.took(face, now_s)


func _say(message):
	var peer = _socket.get_peer(1)
	peer.set_write_mode(WebSocketPeer.WRITE_MODE_TEXT)
	peer.put_packet(JSON.print(message).to_utf8())


func _end():
	var out = File.new()
	out.open("res://told.json", File.WRITE)
	out.store_string(JSON.print(_told))
	out.close()


func _now_s():
	return OS.get_ticks_usec() / 1000000.0

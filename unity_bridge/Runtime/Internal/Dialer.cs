// A connection opened: TCP, TLS with a pinned certificate, and the handshake of RFC 6455.
using System;
using System.IO;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Avatar3D.Interop;

namespace Avatar3D.Internal
{
    /// <summary>Opens connections to a bridge, one after the other.</summary>
    internal static class Dialer
    {
        private const int PatienceMs = 3000, HeadBytes = 16384;
        private const string Salt = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; // RFC 6455, 1.3

        /// <summary>Throws LinkClosedException and nothing else. The socket is closed when it does.</summary>
        internal static Socket Dial(Uri uri, string fingerprint, out Stream secure)
        {
            var socket = new Socket(uri.HostNameType == UriHostNameType.IPv6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            secure = null;
            try
            {
                Connect(socket, uri);
                socket.ReceiveTimeout = socket.SendTimeout = PatienceMs;
                if (uri.Scheme == "wss") secure = Secure(socket, uri, fingerprint);
                Greet(socket, secure, uri);
                socket.ReceiveTimeout = 0;
                return socket;
            }
            catch (LinkClosedException)
            {
                socket.Close();
                throw;
            }
            catch (Exception cause)
            {
                // No name, no answer, no TLS: what is thrown differs by runtime, what it means does not.
                socket.Close();
                throw new LinkClosedException(LinkClosedException.Lost, cause.Message);
            }
        }

        /// <summary>SHA-256 of a certificate, in small letters without colons.</summary>
        internal static string Fingerprint(byte[] certificate)
        {
            using (var hash = SHA256.Create()) return BitConverter.ToString(hash.ComputeHash(certificate)).Replace("-", "").ToLowerInvariant();
        }

        private static void Connect(Socket socket, Uri uri)
        {
            var attempt = socket.BeginConnect(uri.DnsSafeHost, uri.Port, null, null);
            if (!attempt.AsyncWaitHandle.WaitOne(PatienceMs)) throw new LinkClosedException(LinkClosedException.Lost, "nobody answers at " + uri.Authority);
            socket.EndConnect(attempt);
        }

        // Its certificate signed itself and is known by its fingerprint alone, which is compared before a word is said.
        private static Stream Secure(Socket socket, Uri uri, string fingerprint)
        {
            var expected = (fingerprint ?? "").Replace(":", "").ToLowerInvariant();
            string shown = null;
            RemoteCertificateValidationCallback pinned = (sender, certificate, chain, errors) =>
            {
                shown = certificate == null ? null : Fingerprint(certificate.GetRawCertData());
                return shown != null && shown == expected;
            };
            var stream = new SslStream(new NetworkStream(socket, false), false, pinned);
            try
            {
                stream.AuthenticateAsClient(uri.DnsSafeHost);
            }
            catch (Exception) when (shown != null && shown != expected)
            {
                throw new LinkClosedException(LinkClosedException.Refused, "the bridge shows a certificate with another fingerprint: " + shown);
            }
            if (shown != expected) throw new LinkClosedException(LinkClosedException.Refused, "the bridge shows no certificate");
            return stream;
        }

        private static void Greet(Socket socket, Stream secure, Uri uri)
        {
            var nonce = new byte[16];
            using (var chance = RandomNumberGenerator.Create()) chance.GetBytes(nonce);
            var key = Convert.ToBase64String(nonce);
            var request = "GET " + uri.AbsolutePath + " HTTP/1.1\r\nHost: " + uri.Authority + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " + key
                + "\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: " + Wire.SubprotocolBinary + "\r\n\r\n";
            var bytes = Encoding.ASCII.GetBytes(request);
            if (secure != null) secure.Write(bytes, 0, bytes.Length);
            else socket.Send(bytes);
            var answer = ReadHead(socket, secure);
            var lines = answer.Split(new[] { "\r\n" }, StringSplitOptions.None);
            var status = lines[0].Split(' ');
            if (status.Length < 2 || status[1] != "101")
            {
                var code = status.Length > 1 && status[1].StartsWith("5", StringComparison.Ordinal) ? LinkClosedException.Lost : LinkClosedException.Refused;
                throw new LinkClosedException(code, "the bridge answered " + lines[0]);
            }
            using (var hash = SHA1.Create())
            {
                var expected = Convert.ToBase64String(hash.ComputeHash(Encoding.ASCII.GetBytes(key + Salt)));
                if (!Array.Exists(lines, line => IsHeader(line, "Sec-WebSocket-Accept", expected))) throw new LinkClosedException(LinkClosedException.Refused, "what answers at " + uri.Authority + " is no WebSocket");
            }
        }

        private static bool IsHeader(string line, string name, string value)
        {
            var colon = line.IndexOf(':');
            return colon == name.Length && line.StartsWith(name, StringComparison.OrdinalIgnoreCase) && line.Substring(colon + 1).Trim() == value;
        }

        // Byte by byte: what comes behind the head belongs to the frames.
        private static string ReadHead(Socket socket, Stream secure)
        {
            var head = new byte[HeadBytes];
            for (var count = 0; count < HeadBytes; count++)
            {
                var got = secure != null ? secure.Read(head, count, 1) : socket.Receive(head, count, 1, SocketFlags.None);
                if (got == 0) throw new LinkClosedException(LinkClosedException.Lost, "the connection ended in its greeting");
                if (count > 2 && head[count] == '\n' && head[count - 2] == '\n') return Encoding.ASCII.GetString(head, 0, count - 3);
            }
            throw new LinkClosedException(LinkClosedException.Refused, "the greeting has no end");
        }
    }
}

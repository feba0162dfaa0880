// The end of a connection, with the code of RFC 6455 or of the bridge.
using System;

namespace Avatar3D.Internal
{
    /// <summary>The connection has ended, or never began. Wire.Reconnects tells whether to come back.</summary>
    public sealed class LinkClosedException : Exception
    {
        /// <summary>Nobody answers, or nobody does any more.</summary>
        public const int Lost = 1006;

        /// <summary>A refusal before the WebSocket began: a person must act.</summary>
        public const int Refused = 1008;

        public LinkClosedException(int code, string reason)
            : base(reason) => Code = code;

        public int Code { get; }
    }
}

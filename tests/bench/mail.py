"""mail.py OCTETS -- a message as it comes from another organisation, of that
size: the header fields that a large provider's mail has, and text."""
import sys

SIGNATURE = ("\n        ".join(["b=" + "kZ3rY+oW8fPq/Lm1" * 4] + ["Tn5cXv0aHs9e/uB7" * 4] * 4) + "==")
HEADER = f"""\
Received: from mail-lf1-f41.example.net (mail-lf1-f41.example.net [192.0.2.41])
\tby mx1.example.org (Postfix) with ESMTPS id 4jYTPV3yVBz1c6pD
\tfor <r@far.test>; Thu, 26 Nov 2026 07:00:00 +0000 (UTC)
Received: by mail-lf1-f41.example.net with SMTP id 2adb3069b0e04-53b5eb39a3eso1
\tfor <r@far.test>; Wed, 25 Nov 2026 22:59:59 -0800 (PST)
ARC-Seal: i=1; a=rsa-sha256; t=1795678009; cv=none; d=example.net; s=arc-2026;
        {SIGNATURE}
ARC-Message-Signature: i=1; a=rsa-sha256; c=relaxed/relaxed; d=example.net;
        s=arc-2026; h=to:subject:message-id:date:from:mime-version;
        bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;
        {SIGNATURE}
ARC-Authentication-Results: i=1; mx.example.net; arc=none
Authentication-Results: mx1.example.org; dkim=pass header.d=example.net;
\tspf=pass smtp.mailfrom=example.net; dmarc=pass header.from=example.net
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.net; s=2026;
        t=1795678009; x=1796282809; h=to:subject:message-id:date:from:cc;
        bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;
        {SIGNATURE}
X-DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=provider.example;
        s=2026; {SIGNATURE}
X-Message-State: AOJu0YzI7b2rF8R9m4q1v2Zl5uB8G2vHn3V4pXw7yQ==
X-Source: AGHT+IEf9rJ3xYt4C0P1mTqJv0cW7aX8c9cQp5z2JYk=
X-Received: by 2002:a05:6512:3b8d:b0:53b:5eb3:9a3e with SMTP id 2adb3069b0e04;
        Wed, 25 Nov 2026 22:59:59 -0800 (PST)
MIME-Version: 1.0
References: <20261124090909.1234@far.test> <20261125101010.5678@far.test>
In-Reply-To: <20261125101010.5678@far.test>
From: Ann Example <s@load.test>
Date: Thu, 26 Nov 2026 06:59:59 +0000
Message-ID: <CAH8yC8nZVxg3w1abcdefgh@mail.load.test>
Subject: Re: the minutes of the meeting
To: Bob Example <r@far.test>
Cc: list@far.test
Content-Language: en-GB
User-Agent: Mozilla Thunderbird
Content-Type: text/plain; charset=utf-8

"""
LINE = "This is a line of a message as people write them, of a usual length.\n"

text = HEADER
text += LINE * ((int(sys.argv[1]) - len(text)) // len(LINE))
sys.stdout.write(text)
